"""The `rdc` command: run the system, look at it, and manage who takes part."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy import (
    cli_audit,
    cli_destinations,
    cli_devices,
    cli_ecg,
    cli_keeping,
    cli_metrics,
    cli_orders,
    cli_patient,
    cli_people,
    cli_recognition,
    cli_registry,
    cli_reports,
    cli_retention,
    cli_signers,
    cli_site_test,
    cli_tls,
    cli_tokens,
)
from deploy.errors import AlreadyRunning, DeployError
from storage.errors import RdcError

if TYPE_CHECKING:
    from deploy.settings import Settings

EXIT_FAILED: Final = 1
EXIT_ALREADY_RUNNING: Final = 3

app = typer.Typer(
    name="rdc",
    help="The regional diagnostic centre: sites send studies and ECGs, doctors read and sign, "
    "the report goes back. Every setting is an environment variable; see `rdc settings`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_registry.sites, name="site")
app.add_typer(cli_devices.devices, name="device")
app.add_typer(cli_tokens.all_tokens, name="token")
cli_registry.sites.add_typer(cli_tokens.site_tokens, name="token")
cli_registry.sites.add_typer(cli_recognition.recognition, name="recognition")
cli_registry.sites.command("test")(cli_site_test.try_site)
cli_devices.devices.add_typer(cli_tokens.device_tokens, name="token")
app.add_typer(cli_destinations.destinations, name="destination")
app.add_typer(cli_people.users, name="user")
app.add_typer(cli_ecg.ecg, name="ecg")
app.add_typer(cli_orders.senders, name="hl7-sender")
app.add_typer(cli_retention.retention, name="retention")
app.add_typer(cli_retention.holds, name="hold")
app.add_typer(cli_reports.reports, name="report")
app.add_typer(cli_signers.signers, name="signer")
app.add_typer(cli_audit.audits, name="audit")
app.add_typer(cli_patient.patients, name="patient")
app.add_typer(cli_tls.tls, name="tls")
app.command("hl7")(cli_orders.hl7)
app.command("metrics")(cli_metrics.metrics)
cli_keeping.install(app)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where everything is kept [RDC_DATA_DIR, ./var]"),
]
DicomPort = Annotated[
    int | None,
    typer.Option("--dicom-port", help="Port of the DICOM listener; 0: any [RDC_DICOM_PORT, 11112]"),
]
HttpPort = Annotated[
    int | None,
    typer.Option("--http-port", help="Port of the web server; 0: any [RDC_HTTP_PORT, 8080]"),
]
HttpHost = Annotated[
    str | None,
    typer.Option("--http-host", help="Address the web server binds to [RDC_HTTP_HOST, 127.0.0.1]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]


def _settings(**flags: object) -> Settings:
    from deploy.settings import load, unknown_variables  # noqa: PLC0415 - `rdc --help` stays quick

    for line in unknown_variables():
        typer.echo(f"rdc: {line}", err=True)
    return load(**flags)


def say(line: str) -> None:
    """Show a line of progress at once, on standard error."""
    # A terminal that has gone away is no reason to stop a running system.
    with suppress(OSError):
        typer.echo(f"rdc: {line}", err=True)


@app.command()
def up(
    *,
    data_dir: DataDir = None,
    dicom_port: DicomPort = None,
    http_port: HttpPort = None,
    http_host: HttpHost = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="HTTPS, DICOM and MLLP over TLS; see `rdc tls` [RDC_TLS]")
    ] = False,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C or SIGTERM.

    Database and broker are started too, unless RDC_DATABASE_URL and RDC_BROKER_URL name others.
    With --tls a private authority and a certificate are made, where there are none.
    """
    from deploy.supervisor import StartInterrupted, Supervisor  # noqa: PLC0415

    settings = _settings(
        data_dir=data_dir,
        dicom_port=dicom_port,
        http_port=http_port,
        http_host=http_host,
        tls=tls or None,
    )
    stop = threading.Event()
    supervisor = Supervisor(settings, say=say, stop=stop)
    stop_on_signals(stop, supervisor.hurry)
    try:
        with supervisor:
            running = supervisor.settings
            say(f"web UI           {running.web_address}/")
            say(f"DICOM            {running.ae_title} at {running.dicom_host}:{running.dicom_port}")
            say(f"logs             {running.log_dir}")
            say("Ctrl-C stops everything")
            supervisor.watch()
    except StartInterrupted:
        say("interrupted before everything was up")


def stop_on_signals(stop: threading.Event, again: Callable[[], None]) -> None:
    """Set `stop` at the first SIGINT, SIGTERM or SIGHUP, and call `again` at every later one.

    SIGHUP stays ignored where it was ignored, under nohup.
    """

    def on_signal(_number: int, _frame: object) -> None:
        if stop.is_set():
            again()
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, on_signal)


@app.command()
def gateway() -> None:
    """Run the DICOM listener alone (for a machine of its own; needs RDC_DATABASE_URL)."""
    from deploy import run  # noqa: PLC0415

    run.gateway(_settings())


@app.command("ecg-intake")
def ecg_intake() -> None:
    """Run the intake of ECG files alone: uploads and watched folders; as many as needed."""
    from deploy import run  # noqa: PLC0415

    run.ecg_intake(_settings())


@app.command()
def relay() -> None:
    """Run the clock alone: outbox and due deliveries become tasks; a second one stands ready."""
    from deploy import run  # noqa: PLC0415

    run.relay(_settings())


@app.command()
def worker(
    *,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            "--queue", help="messages, returns, analysis, ecg or preparation; all unless given"
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name in logs")] = "worker",
) -> None:
    """Run a Celery worker alone; as many as needed."""
    from deploy import run  # noqa: PLC0415
    from deploy.celery_app import QUEUES  # noqa: PLC0415

    wrong = [given for given in queue or () if given not in QUEUES]
    if wrong:
        raise DeployError(
            "there is no such queue", expected=" or ".join(QUEUES), found=", ".join(wrong)
        )
    raise typer.Exit(run.worker(_settings(), queue or list(QUEUES), name))


@app.command()
def web(
    *,
    http_port: HttpPort = None,
    http_host: HttpHost = None,
    name: Annotated[str, typer.Option(help="Name of the process, for its log.")] = "web",
) -> None:
    """Run the web server alone; several may share one port, database and object store."""
    from deploy import run  # noqa: PLC0415

    run.web(_settings(http_port=http_port, http_host=http_host), name)


@app.command()
def migrate(*, data_dir: DataDir = None) -> None:
    """Bring the database to this version; make the signing authority at first start.

    `rdc up` does it by itself. Safe to run at any time and from several machines at once.
    """
    from deploy import bootstrap  # noqa: PLC0415
    from deploy.database_access import reachable_database  # noqa: PLC0415

    with reachable_database(_settings(data_dir=data_dir)) as settings:
        bootstrap.prepare(settings)
    typer.echo("up to date")


@app.command()
def status(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show processes, servers and queues; exit code 1 when something is off."""
    from deploy import status as report  # noqa: PLC0415

    found = report.collect(_settings(data_dir=data_dir))
    typer.echo(found.to_json() if as_json else found.to_text())
    raise typer.Exit(0 if found.healthy else EXIT_FAILED)


@app.command()
def doctor(
    *,
    data_dir: DataDir = None,
    with_fine: Annotated[bool, typer.Option("--all", help="Name also what is well")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at everything and say what is wrong and what to do; exit code 1 when something is.

    It changes nothing, and can be run at any time beside the working system.
    """
    from deploy.doctor import examine  # noqa: PLC0415
    from deploy.doctor.findings import Severity, to_json, to_text  # noqa: PLC0415

    found = examine(_settings(data_dir=data_dir))
    typer.echo(to_json(found) if as_json else to_text(found, with_fine=with_fine))
    faulty = any(one.severity is Severity.FAULT for one in found)
    raise typer.Exit(EXIT_FAILED if faulty else 0)


@app.command()
def settings(*, data_dir: DataDir = None) -> None:
    """List every setting with its value and meaning; those with passwords are not shown."""
    from deploy.settings import PREFIX, SECRET_FIELDS, Settings  # noqa: PLC0415

    current = _settings(data_dir=data_dir)
    for name, field in Settings.model_fields.items():
        value = getattr(current, name)
        shown = "(set)" if name in SECRET_FIELDS and value else value
        typer.echo(f"{PREFIX}{name.upper()}={shown}\n    {field.description}")


@app.command()
def demo(
    *,
    once: Annotated[
        bool,
        typer.Option("--once", help="Walk the whole road by itself, print JSON, and end"),
    ] = False,
    data_dir: DataDir = None,
    dicom_port: DicomPort = None,
    http_port: HttpPort = None,
) -> None:
    """Start everything, seed a consortium, and send real studies and a real ECG.

    Without --once it leaves the work for you in the browser. With --once it runs in a temporary
    directory on free ports, beside a live system if there is one.
    """
    from deploy.demo import run as demo_run  # noqa: PLC0415

    raise typer.Exit(
        demo_run.main(
            once=once,
            flags={"data_dir": data_dir, "dicom_port": dicom_port, "http_port": http_port},
        )
    )


def main() -> None:
    """Run the command; an error of ours is told in one plain paragraph, without a traceback."""
    try:
        app()
    except AlreadyRunning as error:
        typer.echo(f"rdc: {error}", err=True)
        sys.exit(EXIT_ALREADY_RUNNING)
    except RdcError as error:
        typer.echo(f"rdc: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
