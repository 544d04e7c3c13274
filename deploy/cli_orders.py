"""`rdc hl7`, `rdc hl7-sender`: where orders come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

senders = typer.Typer(help="Systems of a site that may send orders by HL7 v2.")

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data directory of the system [RDC_DATA_DIR, ./var]"),
]
ACTOR: Final = "rdc command line"


@senders.command("add")
def add_sender(
    site: Annotated[str, typer.Argument(help="Code of the site, such as EAST")],
    application: Annotated[str, typer.Argument(help="What it writes into MSH-3")],
    *,
    facility: Annotated[str, typer.Option(help="What it writes into MSH-4; none: any")] = "",
    address: Annotated[
        list[str] | None,
        typer.Option(help="Address or network it calls from; repeat; none: any"),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Allow a system of a site to order exams by HL7 v2 over MLLP."""
    from deploy.database_access import open_database  # noqa: PLC0415 - `--help` stays quick
    from deploy.settings import load  # noqa: PLC0415
    from storage import audit, registry  # noqa: PLC0415
    from storage.hl7.senders import add_sender as add  # noqa: PLC0415

    with (
        open_database(load(data_dir=data_dir)) as database,
        database.transaction() as session,
    ):
        added = add(
            session,
            registry.organisation_by_code(session, site),
            application,
            facility,
            addresses=address or (),
        )
        audit.record(
            session,
            audit.system_actor(ACTOR),
            "hl7_sender:add",
            subject_kind="hl7_sender",
            subject_id=added.id,
            detail={"site": site, "application": application, "facility": facility},
        )
    typer.echo(f"{application} of {site} may order")


@senders.command("list")
def list_senders(*, data_dir: DataDir = None) -> None:
    """List the systems that may order."""
    from sqlalchemy import select  # noqa: PLC0415

    from deploy.database_access import open_database  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from deploy.tables import render  # noqa: PLC0415
    from storage.hl7.tables import Hl7Sender  # noqa: PLC0415
    from storage.registry import Organisation  # noqa: PLC0415

    with (
        open_database(load(data_dir=data_dir)) as database,
        database.transaction() as session,
    ):
        rows = session.execute(
            select(Hl7Sender, Organisation.code)
            .join(Organisation, Organisation.id == Hl7Sender.site_id)
            .order_by(Organisation.code, Hl7Sender.application, Hl7Sender.facility)
        ).all()
    typer.echo(
        render(
            ("site", "application", "facility", "addresses", "active"),
            [
                (
                    code,
                    sender.application,
                    sender.facility or "any",
                    ", ".join(sender.addresses) or "any",
                    "yes" if sender.active else "no",
                )
                for sender, code in rows
            ],
        )
    )


def hl7() -> None:
    """Run the listener for HL7 v2 orders alone (needs RDC_DATABASE_URL)."""
    from deploy import run  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415

    run.hl7(load())
