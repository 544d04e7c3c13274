"""A gateway in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass

from deploy.embedded.processes import tied

_GATEWAY = """
import signal, sys, threading
from pathlib import Path
from pacs_gateway.config import GatewayConfig
from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.objects import open_object_store
url, store, spool, port = sys.argv[1:]
config = GatewayConfig(
    "RDC", "127.0.0.1", int(port), Path(spool), spool_reserve_bytes=1, quiet_seconds_default=1.0
)
gateway = Gateway(config, Database(url), open_object_store(store))
gateway.start()
print(gateway.bound_port, flush=True)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
stop.wait()
gateway.stop()
"""


@dataclass
class GatewayProcess:
    """A gateway in a process of its own, which a test may kill."""

    arguments: list[str]
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            tied([sys.executable, "-c", _GATEWAY, *self.arguments, str(self.port)]),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)
