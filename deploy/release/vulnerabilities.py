"""Known vulnerabilities of every package that the locks pin.

    python -m deploy.release.vulnerabilities [--required]

Python's are asked of PyPI's advisory service by pip-audit, npm's of its registry by `npm audit`.
Exit code 0: none but what `vulnerabilities.toml` argues; 1: others; 2, only with --required: a
service gave no answer. Without --required a service that cannot be reached is told loudly and
stops nothing: a machine without the internet must be able to build.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.release.licences import NPM_LOCK, ROOT, RUNTIME_LOCK

_ARGUED: Final = Path(__file__).with_name("vulnerabilities.toml")
_PIP_AUDIT: Final = ROOT / ".venv" / "audit" / "bin" / "pip-audit"
_LOCKS: Final = (RUNTIME_LOCK, RUNTIME_LOCK.with_name("dev.lock"))
_SECONDS_MAX: Final = 300
UNREACHED: Final = 2


@dataclass(slots=True)
class Answer:
    """What a service knows of the packages it was asked about.

    asked: packages. unknown: those it gave no answer about, or all when it was not reached.
    found: (identifier, "package version: what").
    """

    service: str
    asked: int = 0
    unknown: int = 0
    found: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def reached(self) -> bool:
        """Whether it answered for every package."""
        return self.asked > 0 and self.unknown == 0


def read_pip_audit(service: str, output: str) -> Answer:
    """Read what `pip-audit --format json` printed; anything else is no answer."""
    answer = Answer(service)
    try:
        read: dict[str, Any] = json.loads(output)
    except ValueError:
        return answer
    for package in read.get("dependencies", []):
        answer.asked += 1
        # A registry without the advisory service knows none of the packages.
        answer.unknown += 1 if "skip_reason" in package else 0
        answer.found += [
            (one["id"], f"{package['name']} {package['version']}: {', '.join(one['aliases'])}")
            for one in package.get("vulns", [])
        ]
    return answer


def read_npm_audit(output: str) -> Answer:
    """Read what `npm audit --json` printed; anything else is no answer."""
    answer = Answer("npm")
    try:
        read: dict[str, Any] = json.loads(output[output.index("{") :])
        answer.asked = read["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError):
        return answer
    for package in read["vulnerabilities"].values():
        answer.found += [
            (str(one["url"]).rsplit("/", 1)[-1], f"{one['name']} {one['range']}: {one['title']}")
            for one in package["via"]
            # A name alone says by which other package it is affected.
            if not isinstance(one, str)
        ]
    answer.found = sorted(set(answer.found))
    return answer


def ask_pypi(lock: Path) -> Answer:
    """Ask PyPI's advisory service about the packages of a lock."""
    words = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    output = _run([str(_PIP_AUDIT), "--requirement", str(lock), *words], lock.parent)
    return read_pip_audit(f"PyPI, {lock.name}", output)


def ask_npm() -> Answer:
    """Ask npm's registry about the packages of the web UI, those for building it included."""
    return read_npm_audit(_run(["npm", "audit", "--json"], NPM_LOCK.parent))


def judge(answers: list[Answer], argued: dict[str, dict[str, str]]) -> tuple[list[str], list[str]]:
    """Return what must be mended or argued, and which services gave no whole answer, in words."""
    open_ones = [
        f"{answer.service}: {identifier} {what}"
        for answer in answers
        for identifier, what in answer.found
        if identifier not in argued
    ]
    unreached = [
        f"{answer.service}: no answer about {answer.unknown or 'any'} of {answer.asked or 'the'} "
        "packages"
        for answer in answers
        if not answer.reached
    ]
    return open_ones, unreached


def main(arguments: list[str]) -> int:
    """Ask every service and say what they know. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="vulnerabilities")
    parser.add_argument(
        "--required", action="store_true", help="fail when a service cannot be reached"
    )
    wanted = parser.parse_args(arguments)
    argued = tomllib.loads(_ARGUED.read_text("utf-8"))["argued"]
    answers = [*(ask_pypi(lock) for lock in _LOCKS), ask_npm()]
    open_ones, unreached = judge(answers, argued)
    for line in open_ones:
        sys.stderr.write(f"vulnerabilities: {line}\n")
    for line in unreached:
        sys.stderr.write(f"vulnerabilities: NOT CHECKED: {line}\n")
    if unreached:
        sys.stderr.write(
            "vulnerabilities: WARNING: the advisory services cannot be reached from here. Run\n"
            "    make audit AUDIT_ARGS=--required\n"
            "    on a machine that reaches them before a release.\n"
        )
    if open_ones:
        return 1
    if unreached and wanted.required:
        return UNREACHED
    checked = sum(answer.asked - answer.unknown for answer in answers)
    if checked:
        sys.stdout.write(f"vulnerabilities: {checked} pins checked, none known\n")
    return 0


def _run(command: list[str], directory: Path) -> str:
    """Return what a command printed, empty when it cannot be started or takes too long."""
    try:
        finished = subprocess.run(  # noqa: S603 - our own tools with fixed words
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"vulnerabilities: {command[0]}: {error}\n")
        return ""
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
