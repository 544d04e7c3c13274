"""`rdc hl7`, `rdc hl7-sender`: where orders come from."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli_session import DataDir, Fingerprint, note, open_session, show_table

senders = typer.Typer(help="Systems of a site that may send orders by HL7 v2.")


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
    certificate: Fingerprint = None,
    data_dir: DataDir = None,
) -> None:
    """Allow a system of a site to order exams by HL7 v2 over MLLP."""
    from storage import registry  # noqa: PLC0415 - `--help` stays quick
    from storage.hl7.senders import add_sender as add  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        added = add(
            session,
            registry.organisation_by_code(session, site),
            application,
            facility,
            addresses=address or (),
            certificate_sha256=certificate,
        )
        note(
            session,
            "hl7_sender:add",
            "hl7_sender",
            added.id,
            site=site,
            application=application,
            facility=facility,
        )
    typer.echo(f"{application} of {site} may order")


@senders.command("certificate")
def bind_sender(
    application: Annotated[str, typer.Argument(help="What it writes into MSH-3")],
    certificate: Annotated[
        str, typer.Argument(help="SHA-256 fingerprint of its TLS certificate; 'none': it is free")
    ],
    *,
    facility: Annotated[str, typer.Option(help="Its MSH-4, as it is registered")] = "",
    data_dir: DataDir = None,
) -> None:
    """Change the TLS certificate that a system must call with.

    It counts from its next message on. `openssl x509 -noout -fingerprint -sha256 -in FILE` shows
    the fingerprint.
    """
    from storage.hl7 import senders as registered  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        sender = registered.sender_by_names(session, application, facility)
        registered.bind_sender(sender, None if certificate == "none" else certificate)
        bound = sender.certificate_sha256
        note(session, "hl7_sender:bind", "hl7_sender", sender.id, certificate_sha256=bound)
    typer.echo(f"{application}: certificate {bound or 'not bound'}")


@senders.command("list")
def list_senders(*, data_dir: DataDir = None) -> None:
    """List the systems that may order."""
    from sqlalchemy import select  # noqa: PLC0415

    from storage.hl7.tables import Hl7Sender  # noqa: PLC0415
    from storage.registry import Organisation  # noqa: PLC0415

    with open_session(data_dir) as (session, _):
        rows = session.execute(
            select(Hl7Sender, Organisation.code)
            .join(Organisation, Organisation.id == Hl7Sender.site_id)
            .order_by(Organisation.code, Hl7Sender.application, Hl7Sender.facility)
        ).all()
    show_table(
        ("site", "application", "facility", "addresses", "certificate", "active"),
        [
            (
                code,
                sender.application,
                sender.facility or "any",
                ", ".join(sender.addresses) or "any",
                sender.certificate_sha256 or "not bound",
                "yes" if sender.active else "no",
            )
            for sender, code in rows
        ],
    )


def hl7() -> None:
    """Run the listener for HL7 v2 orders alone (needs RDC_DATABASE_URL)."""
    from deploy import run  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415

    run.hl7(load())
