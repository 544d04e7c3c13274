"""`rdc demo`: the system, a consortium and its machines on one computer."""

import json
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from deploy import bootstrap, settings, signing
from deploy.demo.consortium import SITES, DemoPerson, point_destinations, seed
from deploy.demo.exams import prepare_exams
from deploy.demo.walk import Road, send_exams, walk
from deploy.settings import Settings
from deploy.supervisor import Supervisor
from pacs_gateway.site_machines import SitePacs
from storage.database import Database
from storage.errors import RdcError

QUIET_SECONDS: Final = 3.0
DEMO_DIRECTORY: Final = Path("var") / "demo"

_err = Console(stderr=True, highlight=False)


def main(*, once: bool, flags: Mapping[str, object]) -> int:
    """Run the demonstration and return the exit status: 0 when every step went well.

    once: walk the whole road in a temporary directory on free ports, print one JSON object on
        standard output, and end. Otherwise seed, send, print the sign-ins and stay until Ctrl-C.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    if once:
        with tempfile.TemporaryDirectory(prefix="rdc-demo-") as directory:
            return _once(Path(directory), flags, stop)
    return _stay(flags, stop)


def _once(directory: Path, flags: Mapping[str, object], stop: threading.Event) -> int:
    chosen = {
        "data_dir": flags.get("data_dir") or directory / "data",
        "dicom_port": flags.get("dicom_port") or 0,
        "http_port": flags.get("http_port") or 0,
        # It has a fixed port by nature, which a live system beside this one may use.
        "mllp_port": 0,
    }
    outcome: dict[str, Any] = {"ok": False, "error": "interrupted"}

    def work(road: Road, exams_directory: Path) -> None:
        nonlocal outcome
        try:
            outcome = walk(road, prepare_exams(exams_directory), _say)
        except (RdcError, OSError) as error:
            outcome = {"ok": False, "error": str(error)}
        finally:
            stop.set()

    with _system(_demo_settings(chosen), stop) as (supervisor, road):
        worker = threading.Thread(target=work, args=(road, directory / "exams"), daemon=True)
        worker.start()
        supervisor.watch()
        worker.join(timeout=1)
    sys.stdout.write(json.dumps(outcome, ensure_ascii=False, indent=2) + "\n")
    return 0 if outcome["ok"] else 1


def _stay(flags: Mapping[str, object], stop: threading.Event) -> int:
    # Demonstration patients are never mixed with a live system's: a directory of its own
    # unless one is named.
    named = "data_dir" in settings.load(**flags).model_fields_set
    chosen = flags if named else {**flags, "data_dir": DEMO_DIRECTORY}
    with _system(_demo_settings(chosen), stop) as (supervisor, road):
        sent = supervisor.settings.data_dir / "demo-sent"
        if not sent.exists():
            with tempfile.TemporaryDirectory(prefix="rdc-demo-") as directory:
                send_exams(road, prepare_exams(Path(directory)), _say)
            sent.touch()
        _print_welcome(road)
        supervisor.watch()
    return 0


def _demo_settings(flags: Mapping[str, object]) -> Settings:
    loaded = settings.load(**flags)
    quiet = dict.fromkeys(loaded.quiet_seconds, QUIET_SECONDS)
    return loaded.changed(quiet_seconds=quiet)


@contextmanager
def _system(wanted: Settings, stop: threading.Event) -> Generator[tuple[Supervisor, Road]]:
    """Start the system and the sites' machines, seed the consortium, and stop all at the end."""
    with ExitStack() as running:
        supervisor = running.enter_context(Supervisor(wanted, say=_say, stop=stop))
        live = supervisor.settings
        database = Database(bootstrap.database_url(live))
        running.callback(database.close)
        authority = signing.open_signing_authority(live)
        people = seed(database, authority, live.data_dir / "demo-sign-ins.json")
        pacs = {
            site.code: running.enter_context(
                SitePacs(site.pacs_ae, live.data_dir / "site-pacs" / site.code)
            )
            for site in SITES
        }
        point_destinations(database, {one.ae_title: one.port for one in pacs.values()})
        yield (
            supervisor,
            Road(
                web=live.web_address,
                dicom_host="127.0.0.1",
                dicom_port=live.dicom_port,
                ae_title=live.ae_title,
                quiet_seconds=QUIET_SECONDS,
                anchors=(authority.certificate_pem,),
                pacs=pacs,
                people=people,
            ),
        )


def _say(line: str) -> None:
    _err.print(line, markup=False)


def _print_welcome(road: Road) -> None:
    table = Table(title="Sign-ins of the demonstration", title_justify="left", box=box.SIMPLE_HEAD)
    # A login cut off by a narrow terminal would be no use: what is typed never shrinks.
    for heading in ("login", "password", "PIN"):
        table.add_column(heading, no_wrap=True, min_width=len(heading))
    for heading in ("role", "name", "at"):
        table.add_column(heading, overflow="fold")
    for one in sorted(road.people.values(), key=_by_use):
        roles = ", ".join(role.replace("_", " ") for role in one.roles)
        table.add_row(one.login, one.password, one.pin, roles, one.display_name, one.organisation)
    _err.print(table)
    _err.print(f"Open {road.web} in a browser: the studies wait in the worklist.")
    _err.print(
        "Sign in as a writer to claim and write, as a reviewer to sign,"
        " and as a site doctor to open the report. Ctrl-C stops everything."
    )


def _by_use(person: DemoPerson) -> tuple[bool, bool, str]:
    """Put those who walk the road first: doctors of the centre, then the sites' people."""
    return (
        not person.pin,
        not any(role.startswith("site") for role in person.roles),
        person.organisation,
    )
