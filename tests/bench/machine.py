"""What the figures were taken on and with."""

import os
import platform
import re
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from tests.support.peers import REPOSITORY, find_program

_LATENCY: Final = Path("/dev/cpu_dma_latency")


@contextmanager
def kept_awake() -> Generator[str]:
    """Keep the processor from sleeping between two requests; gives what came of it, for the page.

    On a virtual machine a sleeping processor is woken by its host, within 3 to 25 us as the host
    likes that hour, and a query of ours wakes a dozen threads: 4 or 8 ms. Linux' way to ask for it
    (Documentation/power/pm_qos_interface.rst), which holds as long as the file is open.
    """
    with ExitStack() as held:
        try:
            held.enter_context(_LATENCY.open("wb", buffering=0)).write(bytes(4))
            found = "kept awake (PM QoS, 0 us)"
        except OSError as error:
            found = f"may sleep ({error.strerror})"
        yield found


def describe(scratch: Path) -> dict[str, str]:
    """Return facts of the machine, the disk below `scratch`, and every version that matters."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _output("git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"),
        "processor": f"{_processor()}, {os.cpu_count()} logical",
        "memory": f"{memory:.0f} GiB",
        "disk": _disk(scratch),
        "system": f"{_system()}, Linux {platform.release()}",
        "python": platform.python_version(),
        "orthanc": _version("Orthanc", r"Orthanc\s+(\S+)"),
        "dcmtk": _version("storescu", r"storescu v(\S+)"),
        "load at start": f"{os.getloadavg()[0]:.2f}",
    }


def is_busy() -> bool:
    """Whether others work on this machine, so that figures will be too low."""
    return os.getloadavg()[0] > 0.25 * (os.cpu_count() or 1)


def _processor() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    for line in _lines(Path("/etc/os-release")):
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _disk(folder: Path) -> str:
    mounts = [
        one
        for one in psutil.disk_partitions(all=True)
        if folder.resolve().is_relative_to(one.mountpoint)
    ]
    if not mounts:
        return "unknown"
    mount = max(mounts, key=lambda one: len(one.mountpoint))
    return f"{mount.fstype} on {mount.device}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _version(program: str, pattern: str) -> str:
    path = find_program(program)
    found = re.search(pattern, _output(path, "--version")) if path else None
    return found[1] if found else "not installed"


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip()
