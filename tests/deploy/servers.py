"""An embedded PostgreSQL in a process of its own, so that a test can kill its owner."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.embedded.processes import tied

OWNER = """
import sys, threading
from pathlib import Path
from deploy.embedded.postgres import EmbeddedPostgres

with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.process.pid, server.url, flush=True)
    threading.Event().wait()
"""


@dataclass
class OwnedServer:
    owner: subprocess.Popen[str]
    postmaster: psutil.Process
    url: str

    @classmethod
    def start(cls, directory: Path) -> "OwnedServer":
        owner = subprocess.Popen(
            tied([sys.executable, "-c", OWNER, str(directory)]), stdout=subprocess.PIPE, text=True
        )
        assert owner.stdout is not None
        pid, url = owner.stdout.readline().split()
        return cls(owner, psutil.Process(int(pid)), url)


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for a condition that another process brings about; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
