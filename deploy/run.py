"""The long-running processes: gateway, relay, worker, web.

Each runs in the foreground until SIGTERM or SIGINT, under `rdc up`, systemd or
a container alike, and says through `readiness` when it can work.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from deploy import logs, readiness
from deploy.bootstrap import (
    broker_url,
    database_url,
    ecg_intake_config,
    gateway_config,
    hl7_config,
    open_parts,
    reading_at_standby,
    returns_config,
    web_config,
)
from deploy.connections import ECG_INTAKE, RELAY, of_web, of_worker
from deploy.embedded.processes import recorded

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from deploy.settings import Settings
    from storage.database import Database
    from storage.objects import ObjectStore

SIGNATURE_SECONDS: Final = 600.0
AUDIT_SECONDS: Final = 30.0
PAGE_SECONDS: Final = 60.0
"""For so long a page waits for a statement of the database; who asked has left by then."""
ANALYSIS_NICENESS: Final = 10

_log = logging.getLogger(__name__)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def gateway(settings: Settings) -> None:
    """Run the DICOM listener, the drain of its spool and the completion of studies.

    In several processes below this one, or all in this one when no listeners are set.
    """
    readiness.begin()
    if settings.gateway_listeners == 0:
        _gateway_in_one_process(settings)
        return
    from pacs_gateway.processes.supervisor import GatewayProcesses  # noqa: PLC0415

    logs.configure("gateway", level=settings.log_level, directory=settings.log_dir)
    database_url(settings)

    @contextmanager
    def open_child(name: str) -> Generator[tuple[Database, ObjectStore]]:
        with open_parts(settings, name) as parts, recorded(name, settings.run_dir):
            yield parts.database, parts.objects

    running = GatewayProcesses(gateway_config(settings), open_child)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: running.stop())
    readiness.settle()
    running.start()
    running.run(readiness.announce)
    _log.info("stopped")


def _gateway_in_one_process(settings: Settings) -> None:
    from pacs_gateway.gateway import Gateway  # noqa: PLC0415

    stop = _stop_on_signals()
    with open_parts(settings, "gateway") as parts:
        running = Gateway(gateway_config(settings), parts.database, parts.objects)
        running.start()
        _log.info("listening", extra={"ae_title": settings.ae_title, "port": running.bound_port})
        readiness.announce()
        stop.wait()
        running.stop()
    _log.info("stopped")


def hl7(settings: Settings) -> None:
    """Run the listener for HL7 v2 orders."""
    readiness.begin()
    from pacs_gateway.hl7.listener import MllpListener  # noqa: PLC0415
    from pacs_gateway.hl7.service import Hl7Service  # noqa: PLC0415

    stop = _stop_on_signals()
    with open_parts(settings, "hl7") as parts:
        config = hl7_config(settings)
        service = Hl7Service(
            parts.database, application=config.application, time_zone=config.time_zone
        )
        listener = MllpListener(config, service)
        listener.start()
        ports = {"port": listener.bound_port, "tls_port": listener.bound_tls_port}
        _log.info("listening for HL7", extra=ports)
        readiness.announce()
        stop.wait()
        listener.stop()
    _log.info("stopped")


def ecg_intake(settings: Settings) -> None:
    """Take ECG files in: those that were uploaded, and those in watched folders."""
    readiness.begin()
    from pacs_gateway.ecg_intake.station import IntakeStation  # noqa: PLC0415
    from pacs_gateway.ecg_intake.workshop import Workshop  # noqa: PLC0415

    stop = _stop_on_signals()
    with open_parts(settings, "ecg-intake", share=ECG_INTAKE) as parts, Workshop() as workshop:
        config = ecg_intake_config(settings)
        station = IntakeStation(config, parts.database, parts.objects, workshop)
        station.start()
        readiness.announce()
        stop.wait()
        station.stop()
    _log.info("stopped")


def relay(settings: Settings) -> None:
    """Run the clock: outbox, due deliveries, leases that have run out."""
    readiness.begin()
    from deploy.celery_app import Wakeups  # noqa: PLC0415
    from deploy.gathering import Gathering  # noqa: PLC0415
    from deploy.relay import Regularly, Relay, Work  # noqa: PLC0415
    from pacs_gateway import availability  # noqa: PLC0415
    from pacs_gateway.commitments import asking  # noqa: PLC0415
    from pacs_gateway.commitments import engine as commitments  # noqa: PLC0415
    from pacs_gateway.returns import engine as returns  # noqa: PLC0415
    from pacs_gateway.returns import watching  # noqa: PLC0415
    from reading_worklist import tasks  # noqa: PLC0415
    from reading_worklist.ecg.analysis import service as ecg  # noqa: PLC0415
    from reading_worklist.volume import service as volume  # noqa: PLC0415
    from storage import audit_seals, deliveries, destination_trials  # noqa: PLC0415
    from storage.clock import utc_now  # noqa: PLC0415
    from storage.site_tests import service as site_tests  # noqa: PLC0415

    describe_earlier = tasks.Describing()
    wakeups = Wakeups(broker_url(settings))
    gathering = Gathering(wakeups.waiting)

    def tick(database: Database) -> None:
        tasks.tick(database)
        audit_seals.seal_due(database)
        describe_earlier(database)
        gathering(database)
        with database.transaction() as session:
            watching.run_clock(session, utc_now())

    stop = _stop_on_signals()
    with open_parts(settings, "relay", share=RELAY) as parts:
        due = partial(returns.due, most_probes=returns_config(settings).most_probes)
        Relay(
            parts.database,
            wakeups,
            work=(
                Work(deliveries.CHANNEL, due, wakeups.destination),
                Work(destination_trials.CHANNEL, destination_trials.due, wakeups.trial),
                Work(commitments.CHANNEL, commitments.due, wakeups.commitment),
                Work(asking.CHANNEL, asking.due, wakeups.delivery_commitment),
                Work(availability.CHANNEL, availability.due, wakeups.notification),
                Work(site_tests.CHANNEL, site_tests.due, wakeups.site_test),
                Work(ecg.CHANNEL, ecg.TASKS.due, wakeups.ecgs),
                Work(volume.CHANNEL, volume.TASKS.due, wakeups.analysis),
                Work(
                    Regularly.CHANNEL,
                    Regularly(SIGNATURE_SECONDS),
                    wakeups.signatures,
                    alone=True,
                ),
                *(
                    [Work(Regularly.CHANNEL, Regularly(AUDIT_SECONDS), wakeups.audit, alone=True)]
                    if settings.audit_syslog or settings.sole_syslog
                    else []
                ),
            ),
            tick=tick,
        ).run(stop, ready=readiness.announce)
    _log.info("stopped")


def worker(settings: Settings, queues: Sequence[str], name: str) -> int:
    """Run a Celery worker on the queues; returns its exit code."""
    readiness.begin()
    from deploy.celery_app import ANALYSIS, run_worker, threads  # noqa: PLC0415

    broker_url(settings)
    if list(queues) == [ANALYSIS]:
        # Messages and returns have the processor first.
        os.nice(ANALYSIS_NICENESS)
    share = of_worker(threads(queues, settings), settings)
    with open_parts(settings, name, share=share) as parts:
        return run_worker(parts, queues, name, readiness.announce)


def _shared_port(host: str, port: int) -> socket.socket:
    """Return a socket bound to a port that other web processes of this machine may bind, too.

    The kernel shares the connections out among them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    return bound


def web(settings: Settings, name: str) -> None:
    """Run the web server."""
    readiness.begin()
    from deploy.web_server import WebServer  # noqa: PLC0415
    from reading_worklist.app import create_app  # noqa: PLC0415

    with (
        open_parts(settings, name, share=of_web(), patience=PAGE_SECONDS) as parts,
        reading_at_standby(parts) as standby,
    ):
        app = create_app(web_config(settings), parts.database, parts.objects, standby=standby)
        WebServer(app, settings).run(sockets=[_shared_port(settings.http_host, settings.http_port)])
