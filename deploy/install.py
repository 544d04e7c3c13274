"""Make the virtual environment and fill it from the hash-pinned locks.

`make setup` runs this as a script with whatever Python the machine has, before
anything of ours is installed: standard library only, and nothing newer than it
takes to tell the reader of an old Python so.

    python3 deploy/install.py ENVIRONMENT LOCK

Run twice it does nothing the second time; changed locks or a moved checkout are
noticed. Packages come through uv, itself pinned by hash, which is several times
faster; where uv cannot do it, pip does.
"""

from __future__ import annotations  # an old Python must get as far as our message

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

OLDEST = (3, 11)
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BOOTSTRAP = HERE / "requirements" / "bootstrap.lock"

LAUNCHER = """#!/bin/sh
# The rdc command of the checkout that this environment was made for.
exec "$(dirname "$(readlink -f "$0")")/python" -P -m deploy.cli "$@"
"""


class SetupError(Exception):
    """What is missing and what to do, in words for the person at the keyboard."""


def say(text: str) -> None:
    """Show one line of progress at once."""
    sys.stdout.write(f"    {text}\n")
    sys.stdout.flush()


def run(*command: str, environment: dict[str, str] | None = None) -> bool:
    """Run a command with its output shown; True when it succeeded."""
    return subprocess.run(command, env=environment, check=False).returncode == 0  # noqa: S603


def fingerprint(environment: Path, lock: Path) -> str:
    """Name the state that a finished installation of this lock in this place has."""
    digest = hashlib.sha256()
    for path in (BOOTSTRAP, lock, Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(str(environment).encode())
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def usable(environment: Path) -> bool:
    """Whether an environment stands there, works, and was made for this very path."""
    python = environment / "bin" / "python"
    if not python.exists() or not run(str(python), "-I", "-c", "import pip"):
        return False
    try:
        # A moved checkout shows in its scripts, whose first line names the interpreter.
        first = (environment / "bin" / "pip").read_text(encoding="utf-8").splitlines()[:2]
    except (OSError, UnicodeDecodeError):
        return False
    return any(f"{environment}/" in line for line in first)


def make_environment(environment: Path) -> None:
    """Create the virtual environment anew, with pip in it."""
    if environment.exists():
        shutil.rmtree(environment)
    say(f"creating {environment.name} with Python {sys.version.split()[0]} ({sys.executable})")
    if run(sys.executable, "-m", "venv", str(environment)):
        return
    # Debian ships venv without ensurepip unless python3-venv is installed; pip can still be lent.
    shutil.rmtree(environment, ignore_errors=True)
    say("this Python has no ensurepip: trying the pip of the system instead")
    made = run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    lent = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    hashed = ["--require-hashes", "--requirement", str(BOOTSTRAP)]
    if made and run(*lent, "install", "--quiet", *hashed):
        return
    shutil.rmtree(environment, ignore_errors=True)
    raise SetupError(
        f"{sys.executable} cannot make a virtual environment.\n"
        "    Expected: the standard modules venv and ensurepip, or a pip beside them.\n"
        "    Remedy:   on Debian and Ubuntu `apt-get install python3-venv`, on other systems the\n"
        "              full Python package; then run make again, with PYTHON=/path/to/python3 to\n"
        "              choose another interpreter."
    )


def uv_environment(python: str) -> dict[str, str]:
    """The environment for uv: pip's configured index goes along, which uv does not read."""
    environment = dict(os.environ)
    for option, variable in (
        ("global.index-url", "UV_DEFAULT_INDEX"),
        ("global.trusted-host", "UV_INSECURE_HOST"),
        ("global.cert", "SSL_CERT_FILE"),
    ):
        found = subprocess.run(  # noqa: S603
            [python, "-m", "pip", "config", "get", option],
            capture_output=True,
            text=True,
            check=False,
        )
        if found.returncode == 0 and found.stdout.strip():
            environment.setdefault(variable, found.stdout.strip())
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    environment.setdefault("UV_HTTP_TIMEOUT", "120")
    environment.setdefault("UV_LINK_MODE", "copy" if os.name == "nt" else "hardlink")
    return environment


def install(environment: Path, lock: Path) -> None:
    """Install exactly what the lock names, every file checked against its hash."""
    python = str(environment / "bin" / "python")
    hashed = ["--require-hashes", "--requirement"]
    say("installing uv, pinned by hash")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if run(*pip, "--only-binary=:all:", *hashed, str(BOOTSTRAP)):
        say(f"installing the packages of {lock.relative_to(ROOT)}, about 300 MB to download")
        uv = [str(environment / "bin" / "uv"), "pip", "install", "--python", python]
        if not sys.stderr.isatty():
            uv.append("--quiet")  # the progress bars are worth seeing, the bare list is not
        if run(
            *uv,
            "--require-hashes",
            "--only-binary=:all:",
            "--requirement",
            str(lock),
            environment=uv_environment(python),
        ):
            return
        say("uv could not do it: trying pip, which takes longer")
    if not run(*pip, "--no-deps", *hashed, str(lock)):
        raise SetupError(
            "the Python packages could not be installed.\n"
            "    Expected: a package index that pip reaches (pip's own configuration is used).\n"
            "    Found:    the error above.\n"
            "    Remedy:   check the network or pip's settings, then run make again; what was\n"
            "              downloaded is kept."
        )


def expose_project(environment: Path) -> None:
    """Make the checkout importable and the `rdc` command runnable, without building anything."""
    base = {"base": str(environment), "platbase": str(environment)}
    site_packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=base))
    (site_packages / "rdc.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = environment / "bin" / "rdc"
    command.write_text(LAUNCHER, encoding="utf-8")
    command.chmod(0o755)


def compile_sources(environment: Path) -> None:
    """Compile all modules now, so that the first start is as quick as the later ones."""
    say("compiling")
    libraries = environment / "lib"
    command = [str(environment / "bin" / "python"), "-m", "compileall", "-q", "-j", "0"]
    subprocess.run(  # noqa: S603 - some wheels carry files for other Pythons; those may fail
        [*command, str(libraries)],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main(arguments: list[str]) -> int:
    """Bring the environment to the state of the lock. Returns the exit code."""
    if sys.version_info < OLDEST:
        sys.stderr.write(
            f"rdc needs Python {OLDEST[0]}.{OLDEST[1]} or newer; "
            f"found {sys.version.split()[0]} at {sys.executable}.\n"
            "Install a newer one, or run make with PYTHON=/path/to/python3.\n"
        )
        return 1
    environment = Path(arguments[0]).absolute()
    lock = Path(arguments[1]).resolve()
    stamp = environment / ".rdc-installed"
    wanted = fingerprint(environment, lock)
    try:
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return 0
        started = time.monotonic()
        if not usable(environment):
            make_environment(environment)
        install(environment, lock)
        expose_project(environment)
        compile_sources(environment)
        stamp.write_text(wanted, encoding="ascii")
        say(f"Python packages ready after {time.monotonic() - started:.0f} s")
    except SetupError as error:
        sys.stderr.write(f"rdc setup: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
