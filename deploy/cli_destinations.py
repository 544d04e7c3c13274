"""`rdc destination`: where a site's reports go, and how its queues are doing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import typer

from deploy.cli_session import ACTOR, AsJson, Code, DataDir, note, open_session, show_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from pacs_gateway.returns.trials import TriedDestination
    from storage.audit import Actor

destinations = typer.Typer(help="Where a site wants its reports delivered.")

Id = Annotated[UUID, typer.Argument(help="Its id, as `rdc destination list` shows it")]
Reason = Annotated[str, typer.Argument(help="Why; it is kept and shown")]
SettingList = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME=VALUE…",
        help="Such as host=10.1.2.3 port=2575 tls.authorities=/etc/rdc/ca.pem"
        " recipients='[\"a@b.cn\"]'",
    ),
]
Name = Annotated[str | None, typer.Option("--name", help="What people call it")]


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Return settings written as NAME=VALUE; a dot in a name leads into a group of them.

    A value that is JSON is read as such: numbers, true, lists. Any other is text.

    Raises:
        typer.BadParameter: there is no "=" in one, or a name is of a group and of a setting.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        *groups, last = name.split(".")
        place = found
        for group in groups:
            inner = place.setdefault(group, {})
            place = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
        if not sign or not last or last in place:
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE, each name once")
        try:
            place[last] = json.loads(value)
        except ValueError:
            place[last] = value
    return found


@destinations.command("add")
def add_dicom(
    site: Code,
    ae_title: Annotated[str, typer.Argument(help="AE title of the site's receiver")],
    host: Annotated[str, typer.Argument(help="Its host name or address")],
    port: Annotated[int, typer.Argument(help="Its port")],
    *,
    notify_availability: Annotated[
        bool,
        typer.Option(
            "--notify-availability",
            help="Tell it also of each complete study that it can be retrieved",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Deliver the site's reports to this DICOM receiver."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        added = registry.add_dicom_destination(
            session,
            registry.organisation_by_code(session, site),
            ae_title,
            host,
            port,
            notify_availability=notify_availability,
        )
        note(session, "destination:add", "destination", added.id, site=site, ae_title=ae_title)
    typer.echo(f"reports of {site} go to {ae_title} at {host}:{port}")


@destinations.command("connect")
def connect(
    site: Code,
    kind: Annotated[str, typer.Argument(help="dicom, hl7, fhir, webhook or notice")],
    settings: SettingList,
    *,
    name: Name = None,
    data_dir: DataDir = None,
) -> None:
    """Deliver the site's reports to a destination of any kind.

    `rdc destination kinds` lists the settings of each. A secret is never given here: it lies in a
    file, mode 0600, on the machines that deliver, and its path is the setting.
    """
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        added = registry.add_destination(
            session,
            registry.organisation_by_code(session, site),
            _kind(kind),
            read_settings(settings),
            name=name or "",
        )
        note(session, "destination:add", "destination", added.id, site=site, kind=kind)
        typer.echo(f"reports of {site} go to {added.label}: {added.id}")


@destinations.command("kinds")
def show_kinds() -> None:
    """List the kinds of destinations and the settings of each; those with * are required."""
    from storage.registry.destination_settings import SETTINGS, ClientTls  # noqa: PLC0415

    secured = ", ".join(f"tls.{name}" for name in ClientTls.model_fields)

    show_table(
        ("kind", "settings"),
        [
            (
                kind.value,
                ", ".join(
                    secured if name == "tls" else f"{name}{'*' if field.is_required() else ''}"
                    for name, field in model.model_fields.items()
                ),
            )
            for kind, model in SETTINGS.items()
        ],
    )


@destinations.command("change")
def change(
    destination: Id, settings: SettingList, *, name: Name = None, data_dir: DataDir = None
) -> None:
    """Give a destination other settings, in the place of all it had."""
    from storage import registry  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = _found(session, destination)
        registry.change_destination(session, found, read_settings(settings), name=name)
        note(session, "destination:change", "destination", destination)
        typer.echo(f"changed: {found.label}")


@destinations.command("switch")
def switch(
    destination: Id,
    state: Annotated[str, typer.Argument(help="on or off")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Send new reports to a destination, or no more."""
    from storage import registry  # noqa: PLC0415

    if state not in {"on", "off"}:
        raise typer.BadParameter("on or off")
    with open_session(data_dir) as (session, _):
        found = _found(session, destination)
        registry.change_destination(session, found, active=state == "on")
        note(session, f"destination:{state}", "destination", destination)
        typer.echo(f"{state}: {found.label}")


@destinations.command("pause")
def pause(destination: Id, reason: Reason, *, data_dir: DataDir = None) -> None:
    """Hold what waits for a destination."""
    from storage.delivery_actions import pause_queue  # noqa: PLC0415

    _decide(data_dir, lambda session, actor: pause_queue(session, actor, destination, reason))
    typer.echo("paused")


@destinations.command("resume")
def resume(destination: Id, *, data_dir: DataDir = None) -> None:
    """Let what waits for a destination go on."""
    from storage.delivery_actions import resume_queue  # noqa: PLC0415

    _decide(data_dir, lambda session, actor: resume_queue(session, actor, destination))
    typer.echo("resumed")


@destinations.command("probe")
def probe(destination: Id, *, data_dir: DataDir = None) -> None:
    """Try a destination now, whatever its waiting time."""
    from storage.delivery_actions import probe_queue  # noqa: PLC0415

    _decide(data_dir, lambda session, actor: probe_queue(session, actor, destination))
    typer.echo("it is tried now")


@destinations.command("test")
def try_destinations(
    where: Annotated[str, typer.Argument(help="Id of a destination, or code of a site: all of it")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Try destinations from this machine, without a report and without anything of a patient.

    DICOM: C-ECHO, and whether it takes our reports. HL7: a connection; with test_message=true a
    message that tells our clock. FHIR: its capability statement and an empty transaction. Webhook:
    a signed "ping". Notices: a test text goes to the recipients. Ends with 1 when one failed.
    """
    from deploy.bootstrap import returns_config  # noqa: PLC0415
    from deploy.database_access import open_database  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from pacs_gateway.returns.trials import try_now  # noqa: PLC0415
    from storage import registry  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    with open_database(settings) as database:
        with database.transaction() as session:
            if (destination_id := _as_id(where)) is not None:
                wanted = {"destination_id": _found(session, destination_id).id}
            else:
                wanted = {"site_id": registry.organisation_by_code(session, where).id}
            (subject,) = wanted.values()
            note(session, "destination:try", "destination", subject)
        tried = try_now(database, returns_config(settings), **wanted)
    if as_json:
        told = [
            {
                "destination_id": str(one.id),
                "kind": one.kind.value,
                "destination": one.label,
                "works": one.tried.finding.is_good,
                "finding": one.tried.finding.value,
                "said": one.tried.said,
            }
            for one in tried
        ]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for one in tried:
            _show_trial(one)
        if not tried:
            typer.echo(f"{where} has no active destination: its reports are read in the portal")
    if not all(one.tried.finding.is_good for one in tried):
        raise typer.Exit(1)


@destinations.command("redirect")
def redirect(
    destination: Id,
    to: Annotated[UUID, typer.Argument(help="Id of another destination of the same site")],
    reason: Reason,
    *,
    data_dir: DataDir = None,
) -> None:
    """Send what waits for a destination to another one of the same site."""
    from storage.delivery_actions import redirect_queue  # noqa: PLC0415

    moved = 0
    while True:
        some = _decide(
            data_dir,
            lambda session, actor: redirect_queue(session, actor, destination, to, reason),
        )
        moved += some
        if not some:
            break
    typer.echo(f"{moved} redirected")


@destinations.command("deadlines")
def set_deadlines(
    code: Code,
    *,
    silent_minutes: Annotated[
        int | None, typer.Option(help="A destination may be out of reach so long")
    ] = None,
    unopened_minutes: Annotated[
        int | None, typer.Option(help="A report may stay unopened so long")
    ] = None,
    unopened_stat_minutes: Annotated[
        int | None, typer.Option(help="The same of a STAT one")
    ] = None,
    always_open: Annotated[
        bool | None,
        typer.Option(
            "--always-open/--machine-opens",
            help="Whether a person must open what the site's system has taken",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Say when people are told of reports that do not arrive, for an organisation and all below it.

    What is not given is as the organisation above has it.
    """
    from storage import delivery_policy, registry  # noqa: PLC0415

    given = {
        "silent_minutes": silent_minutes,
        "unopened_minutes": unopened_minutes,
        "unopened_stat_minutes": unopened_stat_minutes,
    }
    if any(one is not None and one < 1 for one in given.values()):
        raise typer.BadParameter("minutes, at least 1")
    with open_session(data_dir) as (session, _):
        organisation = registry.organisation_by_code(session, code)
        delivery_policy.set_deadlines(session, organisation.id, **given, always_open=always_open)
        note(
            session,
            "organisation:deadlines",
            "organisation",
            organisation.id,
            **given,
            always_open=always_open,
        )
        holds = delivery_policy.deadlines_of(session, organisation.id)
    typer.echo(
        f"{code}: silent {holds.silent_minutes} min, unopened {holds.unopened_minutes} min,"
        f" STAT {holds.unopened_stat_minutes} min,"
        f" {'always' if holds.always_open else 'not'} by a person"
    )


@destinations.command("list")
def list_destinations(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List where reports go, how much waits, and since when a destination is out of reach."""
    from storage.delivery_overview import queues  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        found = queues(session)
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in found], ensure_ascii=False, indent=2))
        return
    show_table(
        ("id", "site", "kind", "destination", "state", "waiting", "held", "since", "said last"),
        [
            (
                str(one.destination_id),
                one.site_code,
                one.kind,
                one.label,
                one.state,
                one.waiting,
                one.held,
                f"{one.failing_since:%Y-%m-%d %H:%M}" if one.failing_since else "",
                one.last_error or "",
            )
            for one in found
        ],
    )


def _show_trial(one: TriedDestination) -> None:
    """Tell of a trial in words: what was found, and what to do about it."""
    from storage.site_tests.words import FOUND, Language  # noqa: PLC0415

    found, remedy = FOUND[f"destination_{one.tried.finding.value}"]
    mark = "well " if one.tried.finding.is_good else "FAULT"
    words = found.in_language(Language.ENGLISH).format(said=one.tried.said)
    typer.echo(f"{mark}  {one.kind.value}  {one.label}: {words}")
    if (to_do := remedy.in_language(Language.ENGLISH)) and not one.tried.finding.is_good:
        typer.echo(f"       {to_do}")


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _kind(text: str) -> Any:  # noqa: ANN401 -- its type is loaded with the registry
    from storage.registry import DestinationKind  # noqa: PLC0415

    if text not in {one.value for one in DestinationKind}:
        raise typer.BadParameter("one of " + ", ".join(one.value for one in DestinationKind))
    return DestinationKind(text)


def _found(session: Session, destination_id: UUID) -> Any:  # noqa: ANN401 -- as above
    from storage.registry import Destination, RegistryRefused  # noqa: PLC0415

    found = session.get(Destination, destination_id)
    if found is None:
        raise RegistryRefused(
            f"no destination has the id {destination_id}", remedy="See 'rdc destination list'."
        )
    return found


def _decide(data_dir: Any, act: Callable[[Session, Actor], Any]) -> Any:  # noqa: ANN401 -- what `act` returns
    from storage import audit  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        return act(session, audit.system_actor(ACTOR))
