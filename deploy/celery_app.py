"""The Celery side of the system: queues, tasks, and what wakes them.

The broker is a wake-up and nothing more. A task names a row in PostgreSQL; the
row says whether there is still something to do, under a lease. A task that is
lost, doubled or late therefore does no harm, and none of Celery's own
guarantees (late acknowledgement, retries, results) is used.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import kombu.exceptions
from celery import Celery
from celery.signals import setup_logging, worker_ready

from deploy.bootstrap import returns_config, site_test_config
from deploy.errors import DeployError
from deploy.tls.broker import broker_tls
from storage import outbox
from storage.messages import PACS_GATEWAY, READING_WORKLIST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.bootstrap import Parts
    from deploy.settings import Settings

HANDLE_MESSAGE: Final = "rdc.handle_message"
SERVE_DESTINATION: Final = "rdc.serve_destination"
TRY_DESTINATION: Final = "rdc.try_destination"
ATTEMPT_COMMITMENT: Final = "rdc.attempt_commitment"
ASK_COMMITMENT: Final = "rdc.ask_commitment"
ATTEMPT_NOTIFICATION: Final = "rdc.attempt_notification"
TEST_SITE: Final = "rdc.test_site"
ANALYSE_STUDY: Final = "rdc.analyse_study"
ANALYSE_ECGS: Final = "rdc.analyse_ecgs"
PREPARE_METADATA: Final = "rdc.prepare_metadata"
KEEP_SIGNATURES: Final = "rdc.keep_signatures"
EXPORT_AUDIT: Final = "rdc.export_audit"

MESSAGES: Final = "messages"
RETURNS: Final = "returns"
ANALYSIS: Final = "analysis"
ECG: Final = "ecg"
PREPARATION: Final = "preparation"
QUEUES: Final = (MESSAGES, RETURNS, ANALYSIS, ECG, PREPARATION)
"""Handling a message is a short database transaction; bringing a result to a site may hang on that
site's network for a minute; looking at the volumes of a study reads all of it; an ECG is measured
in a fraction of a second and waits for nothing else; a viewer may ask for the metadata of a study a
moment after it is in the worklist. Each has its queue and its worker process, so that neither a
dead site nor a large study delays an exam's way to its reader."""

EXPIRE_SECONDS: Final = 60.0
PUBLISH_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.2


class BrokerUnavailable(DeployError):
    """The broker takes no wake-ups just now."""


def _make_app(broker: str, transport_options: dict[str, object]) -> Any:  # noqa: ANN401 - Celery has no types
    address, secured = broker_tls(broker)
    app: Any = Celery("rdc", broker=address, set_as_current=False)
    app.conf.update(
        broker_use_ssl=secured or False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=PUBLISH_SECONDS,
        broker_transport_options=transport_options,
        task_ignore_result=True,
        # A wake-up need not survive a restart of RabbitMQ: leases run out.
        task_default_delivery_mode="transient",
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        enable_utc=True,
        timezone="UTC",
    )
    return app


class Wakeups:
    """The sending side: it gives up on a silent broker after two seconds, so that the caller knows.

    Every method raises BrokerUnavailable when the broker cannot be reached.
    """

    def __init__(self, broker: str) -> None:
        options: dict[str, object] = {}
        if broker.startswith("redis"):
            options = {
                "socket_connect_timeout": PUBLISH_SECONDS,
                "socket_timeout": PUBLISH_SECONDS,
                "max_retries": 0,
            }
        self._app = _make_app(broker, options)

    def check(self) -> None:
        """Make sure that the broker answers."""
        try:
            with self._app.connection_for_write() as connection:
                _ensure(connection)
        except (kombu.exceptions.OperationalError, OSError) as error:
            raise _unavailable(error) from error

    def message(self, leased: outbox.LeasedMessage) -> None:
        """Wake a worker for a leased message."""
        arguments = (str(leased.id), str(leased.lease_token), leased.consumer)
        self._send(HANDLE_MESSAGE, arguments, MESSAGES)

    def destination(self, destination_id: UUID) -> None:
        """Wake a worker for a destination that has deliveries due."""
        self._send(SERVE_DESTINATION, (str(destination_id),), RETURNS)

    def trial(self, destination_id: UUID) -> None:
        """Wake a worker for a destination that somebody wants tried."""
        self._send(TRY_DESTINATION, (str(destination_id),), RETURNS)

    def commitment(self, request_id: UUID) -> None:
        """Wake a worker for a storage commitment request that is due."""
        self._send(ATTEMPT_COMMITMENT, (str(request_id),), RETURNS)

    def delivery_commitment(self, asked_id: UUID) -> None:
        """Wake a worker that asks a destination for storage commitment."""
        self._send(ASK_COMMITMENT, (str(asked_id),), RETURNS)

    def notification(self, notification_id: UUID) -> None:
        """Wake a worker for an availability notification that is due."""
        self._send(ATTEMPT_NOTIFICATION, (str(notification_id),), RETURNS)

    def site_test(self, test_id: UUID) -> None:
        """Wake a worker for a site's test that was asked for."""
        self._send(TEST_SITE, (str(test_id),), RETURNS)

    def analysis(self, study_id: UUID) -> None:
        """Wake a worker for a study to be looked at."""
        self._send(ANALYSE_STUDY, (str(study_id),), ANALYSIS)

    def ecgs(self, study_id: UUID) -> None:
        """Wake a worker for the ECGs of a study."""
        self._send(ANALYSE_ECGS, (str(study_id),), ECG)

    def preparation(self, study_id: UUID) -> None:
        """Wake a worker for the metadata of a study that viewers will ask for."""
        self._send(PREPARE_METADATA, (str(study_id),), PREPARATION)

    def signatures(self, _round: UUID) -> None:
        """Wake a worker for what keeps signatures verifiable."""
        self._send(KEEP_SIGNATURES, (), ANALYSIS)

    def audit(self, _round: UUID) -> None:
        """Wake a worker for what of the audit trail goes to a repository elsewhere."""
        self._send(EXPORT_AUDIT, (), RETURNS)

    def waiting(self) -> dict[str, int]:
        """Return how many wake-ups wait in each queue that exists."""
        found: dict[str, int] = {}
        try:
            with self._app.connection_for_write() as connection:
                _ensure(connection)
                for queue in QUEUES:
                    with connection.channel() as channel:
                        try:
                            declared = channel.queue_declare(queue=queue, passive=True)
                            found[queue] = int(declared.message_count)
                        except connection.channel_errors:
                            found[queue] = 0  # nobody has used it yet
        except (kombu.exceptions.OperationalError, OSError) as error:
            raise _unavailable(error) from error
        return found

    def _send(self, task: str, arguments: tuple[str, ...], queue: str) -> None:
        try:
            self._app.send_task(
                task, args=arguments, queue=queue, expires=EXPIRE_SECONDS, retry=False
            )
        except (kombu.exceptions.OperationalError, OSError) as error:
            raise _unavailable(error) from error


def _ensure(connection: Any) -> None:  # noqa: ANN401 -- kombu has no types
    """Connect to the broker, or fail soon: by itself kombu rests two seconds before it asks again.

    The second time is for one that is just starting; whoever asks has pauses of his own.
    """
    connection.ensure_connection(
        max_retries=1, interval_start=_AGAIN_SECONDS, timeout=PUBLISH_SECONDS
    )


def _unavailable(error: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(
        "the broker does not answer",
        found=type(error).__name__,
        remedy="Nothing is lost: work waits in the database. See that the broker runs.",
    )


def run_worker(parts: Parts, queues: Sequence[str], name: str, ready: Callable[[], None]) -> int:
    """Work on the queues until SIGTERM or SIGINT; returns the exit code.

    It waits for the broker for ever. On the signal, tasks that run are finished.
    `ready` is called once when the worker takes tasks.
    """
    app = _make_app(parts.settings.broker_url or "", {})
    _add_tasks(app, parts, queues)

    def keep_our_logging(**_: object) -> None:
        """Tell Celery, by being connected, that logging is set up."""

    def on_ready(**_: object) -> None:
        ready()

    logging_signal: Any = setup_logging
    ready_signal: Any = worker_ready
    logging_signal.connect(keep_our_logging)
    ready_signal.connect(on_ready)
    # Threads, not processes: tasks wait for database and network, and a killed worker then
    # leaves no child behind.
    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        pool="threads",
        concurrency=threads(queues, parts.settings),
        queues=list(queues),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def threads(queues: Sequence[str], settings: Settings) -> int:
    """Return how many tasks a worker of some queues does at a time.

    One where the work is the processor's, and takes memory; two ECGs, of which one reads its object
    while the other is measured; many where nearly all of it is waiting for the network of a site,
    so that those that do not answer hold up none that do.
    """
    most = settings.worker_threads
    if RETURNS in queues:
        return max(most, settings.delivery_slots)
    if {*queues} <= {ANALYSIS, PREPARATION}:
        return 1
    return min(2, most) if {*queues} == {ECG} else most


def _add_tasks(app: Any, parts: Parts, queues: Sequence[str]) -> None:  # noqa: ANN401 - Celery has no types
    """Add the tasks of the queues; a worker loads nothing of the others'."""
    if MESSAGES in queues:
        _add_message_task(app, parts)
    if RETURNS in queues:
        _add_return_tasks(app, parts)
    if ANALYSIS in queues:
        _add_analysis_task(app, parts)
    if ECG in queues:
        _add_ecg_task(app, parts)
    if PREPARATION in queues:
        _add_preparation_task(app, parts)


def _add_message_task(app: Any, parts: Parts) -> None:  # noqa: ANN401 - Celery has no types
    from pacs_gateway import tasks as gateway_tasks  # noqa: PLC0415
    from reading_worklist import tasks as reading_tasks  # noqa: PLC0415

    handlers = {READING_WORKLIST: reading_tasks.HANDLERS, PACS_GATEWAY: gateway_tasks.HANDLERS}
    wakeups = Wakeups(parts.settings.broker_url or "")
    afterwards = {
        READING_WORKLIST: reading_tasks.afterwards(
            parts.database, parts.objects, wakeups.preparation
        )
    }

    def handle_message(message_id: str, lease_token: str, consumer: str) -> None:
        outbox.handle(
            parts.database,
            UUID(message_id),
            UUID(lease_token),
            handlers.get(consumer, {}),
            afterwards.get(consumer, {}),
        )

    app.task(name=HANDLE_MESSAGE)(handle_message)


def _add_return_tasks(app: Any, parts: Parts) -> None:  # noqa: ANN401 - Celery has no types
    from pacs_gateway import availability  # noqa: PLC0415
    from pacs_gateway.commitments import asking  # noqa: PLC0415
    from pacs_gateway.commitments import engine as commitments  # noqa: PLC0415
    from pacs_gateway.returns import engine as returns  # noqa: PLC0415
    from pacs_gateway.returns import trials  # noqa: PLC0415

    config = returns_config(parts.settings)

    def serve_destination(destination_id: str) -> None:
        returns.serve(UUID(destination_id), parts.database, parts.objects, config)

    def try_destination(destination_id: str) -> None:
        trials.serve_trial(UUID(destination_id), parts.database, config)

    def attempt_commitment(request_id: str) -> None:
        commitments.attempt(UUID(request_id), parts.database, parts.objects, config)

    def ask_commitment(asked_id: str) -> None:
        asking.attempt(UUID(asked_id), parts.database, config)

    def attempt_notification(notification_id: str) -> None:
        availability.attempt(UUID(notification_id), parts.database, config)

    def test_site(test_id: str) -> None:
        # Loaded by the first that is asked for: they are rare.
        from pacs_gateway.site_test import run  # noqa: PLC0415

        run.attempt(UUID(test_id), parts.database, parts.objects, site_test_config(parts.settings))

    def export_audit() -> None:
        from deploy.bootstrap import audit_exporters  # noqa: PLC0415

        for exporter in audit_exporters(parts):
            exporter.run()

    app.task(name=EXPORT_AUDIT)(export_audit)
    app.task(name=SERVE_DESTINATION)(serve_destination)
    app.task(name=TRY_DESTINATION)(try_destination)
    app.task(name=ATTEMPT_COMMITMENT)(attempt_commitment)
    app.task(name=ASK_COMMITMENT)(ask_commitment)
    app.task(name=ATTEMPT_NOTIFICATION)(attempt_notification)
    app.task(name=TEST_SITE)(test_site)


def _add_analysis_task(app: Any, parts: Parts) -> None:  # noqa: ANN401 - Celery has no types
    from reading_worklist.volume.analysis import analyse  # noqa: PLC0415

    def analyse_study(study_id: str) -> None:
        analyse(UUID(study_id), parts.database, parts.objects)

    def keep_signatures() -> None:
        from deploy.signature_keeping import keep  # noqa: PLC0415 - once in ten minutes

        keep(parts)

    app.task(name=ANALYSE_STUDY)(analyse_study)
    app.task(name=KEEP_SIGNATURES)(keep_signatures)


def _add_ecg_task(app: Any, parts: Parts) -> None:  # noqa: ANN401 - Celery has no types
    from reading_worklist.ecg.analysis.worker import analyse_study  # noqa: PLC0415

    def analyse_ecgs(study_id: str) -> None:
        analyse_study(UUID(study_id), parts.database, parts.objects)

    app.task(name=ANALYSE_ECGS)(analyse_ecgs)


def _add_preparation_task(app: Any, parts: Parts) -> None:  # noqa: ANN401 - Celery has no types
    from reading_worklist.tasks import prepare_metadata as prepare  # noqa: PLC0415

    def prepare_metadata(study_id: str) -> None:
        prepare(parts.database, parts.objects, UUID(study_id))

    app.task(name=PREPARE_METADATA)(prepare_metadata)
