"""Every package that a release needs has a licence that was judged: `licences.toml` beside this.

    python -m deploy.release.licences [--table]

Python packages are those of the runtime lock, their licence as their own metadata state it; npm's
are those of package-lock.json that are not for development alone. Works without a network.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
RUNTIME_LOCK: Final = ROOT / "deploy" / "requirements" / "runtime.lock"
NPM_LOCK: Final = ROOT / "reading_worklist" / "web" / "package-lock.json"
_JUDGEMENTS: Final = Path(__file__).with_name("licences.toml")
_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
# Metadata from before licences had names in them hold the licence's whole text.
_NAME_MAX: Final = 60
_MIT_TEXT: Final = "Permission is hereby granted, free of charge"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that a release needs.

    licence: an SPDX expression or, of older Python packages, their classifiers; empty when it
    states none.
    """

    registry: str
    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class Judgements:
    """What was judged: permissive licences, and single packages with the licence they had then."""

    permissive: frozenset[str]
    judged: Mapping[str, Mapping[str, str]]


def judgements() -> Judgements:
    """Read `licences.toml`."""
    read = tomllib.loads(_JUDGEMENTS.read_text("utf-8"))
    return Judgements(frozenset(read["permissive"]), read["judged"])


def python_packages() -> Iterator[Package]:
    """Yield the packages of the runtime lock that are installed here.

    Those of other platforms are not, and state their licence where they are.
    """
    seen: set[str] = set()
    for line in RUNTIME_LOCK.read_text("utf-8").splitlines():
        if (pin := _PIN.match(line)) is None or pin[1] in seen:
            continue
        try:
            stated = metadata.metadata(pin[1])
        except metadata.PackageNotFoundError:
            continue
        seen.add(pin[1])
        yield Package("PyPI", pin[1], stated["Version"], stated_licence(stated))


def stated_licence(stated: metadata.PackageMetadata) -> str:
    """Return the licence that a Python package states: expression, classifiers, or free text."""
    classifiers = stated.get_all("Classifier") or []
    names = sorted(
        line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")
    )
    text = (stated.get_all("License") or [""])[0]
    if _MIT_TEXT in " ".join(text.split()):
        text = "MIT"
    short = text.strip().split("\n", 1)[0][:_NAME_MAX]
    expression = (stated.get_all("License-Expression") or [""])[0]
    return expression or "; ".join(names) or short


def npm_packages() -> Iterator[Package]:
    """Yield the packages of the web UI and the viewer that reach a browser."""
    listed: dict[str, dict[str, Any]] = json.loads(NPM_LOCK.read_text("utf-8"))["packages"]
    for path, entry in listed.items():
        if path and not entry.get("dev") and not entry.get("devOptional"):
            name = path.rsplit("node_modules/", 1)[-1]
            yield Package("npm", name, entry["version"], str(entry.get("license", "")))


def refused(package: Package, known: Judgements) -> str | None:
    """Return why a package's licence may not be used yet, in words; None when it may."""
    judged = known.judged.get(package.name)
    if judged is not None and judged["licence"] == package.licence:
        return None
    if judged is not None:
        return f"judged as {judged['licence']!r}, now states {package.licence!r}"
    if not package.licence:
        return "states no licence"
    # Of alternatives too, each must be permissive: nothing is gained by choosing.
    parts = re.split(r"; | AND | OR ", package.licence)
    strange = [part for part in parts if part not in known.permissive]
    return f"{', '.join(strange)} was not judged" if strange else None


def main(arguments: list[str]) -> int:
    """Check every package; with --table list them. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="licences", description="Check dependencies' licences.")
    parser.add_argument("--table", action="store_true", help="list every package and its licence")
    wanted = parser.parse_args(arguments)
    known = judgements()
    packages = [*python_packages(), *npm_packages()]
    problems = [
        f"{package.registry} {package.name} {package.version}: {why}"
        for package in packages
        if (why := refused(package, known)) is not None
    ]
    names = {package.name for package in packages}
    problems += [f"{name}: judged, but no release needs it" for name in known.judged.keys() - names]
    if wanted.table:
        for package in sorted(packages, key=lambda one: (one.registry, one.name.lower())):
            sys.stdout.write(
                f"{package.registry:5} {package.name:42} {package.version:14} {package.licence}\n"
            )
    for problem in problems:
        sys.stderr.write(f"licences: {problem}\n")
    if problems:
        sys.stderr.write("licences: judge it in deploy/release/licences.toml, with the reason\n")
        return 1
    sys.stdout.write(
        f"licences: {len(packages)} packages, {len(known.judged)} judged one by one, none refused\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
