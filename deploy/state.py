"""What the running system notes for other commands: addresses and processes.

`rdc up` writes it below the data directory; `rdc status`, `rdc user add` and the
like read it, so that they find the embedded servers without any setting.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.embedded.processes import ProcessRecord
from deploy.settings import Settings

FILE_NAME: Final = "state.json"
SUPERVISOR: Final = "supervisor"


@dataclass(frozen=True)
class RunningState:
    """Where the parts of a running system are reached. Mode 0600, since URLs hold secrets."""

    supervisor: ProcessRecord
    database_url: str
    broker_url: str
    dicom_port: int
    http_port: int
    web_address: str
    started_at: str

    def write(self, run_dir: Path) -> None:
        """Keep the state, replacing an older one at once."""
        fresh = run_dir / f".{FILE_NAME}.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        fresh.replace(run_dir / FILE_NAME)


def read(run_dir: Path) -> RunningState | None:
    """Return the state of the system that runs on this data directory now, or None."""
    try:
        found: dict[str, Any] = json.loads((run_dir / FILE_NAME).read_text(encoding="utf-8"))
        supervisor = ProcessRecord(**found.pop("supervisor"))
        state = RunningState(supervisor=supervisor, **found)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return state if state.supervisor.find() else None


def forget(run_dir: Path) -> None:
    """Remove the state; absent is fine."""
    (run_dir / FILE_NAME).unlink(missing_ok=True)


def with_running(settings: Settings) -> Settings:
    """Fill in what is not set from the running system, if one runs."""
    state = read(settings.run_dir)
    if state is None:
        return settings
    return settings.changed(
        database_url=settings.database_url or state.database_url,
        broker_url=settings.broker_url or state.broker_url,
        dicom_port=state.dicom_port,
        http_port=state.http_port,
    )
