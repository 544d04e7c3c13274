"""`rdc patient`: a patient's own data, for the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli_retention import As, Reason
from deploy.cli_session import DataDir

patients = typer.Typer(help="What is kept about one patient of a site.")


@patients.command("export")
def export_patient(
    file: Annotated[Path, typer.Argument(help="Where to write the ZIP archive; must not exist")],
    *,
    site: Annotated[str, typer.Option(help="Code of the site, such as EAST")],
    patient_id: Annotated[str, typer.Option("--id", help="The patient's number at that site")],
    login: As,
    reason: Reason,
    data_dir: DataDir = None,
) -> None:
    """Write everything kept about a patient: reports, records, and who saw them.

    For consortium administrators, whose password is asked for. It is audited with the reason.
    Images are not in it; hand them over as DICOM media.
    """
    import reading_worklist.app  # noqa: F401, PLC0415 - then every table of the schema is known  # pyright: ignore[reportUnusedImport]
    from deploy.settings import load  # noqa: PLC0415 - `--help` stays quick
    from deploy.signed_in import signed_in  # noqa: PLC0415
    from reading_worklist.subject_export import service  # noqa: PLC0415
    from storage.objects import open_object_store  # noqa: PLC0415

    objects = open_object_store(load(data_dir=data_dir).object_store)
    with signed_in(data_dir, login) as (session, scope):
        subject = service.gather(session, scope, site_code=site, local_id=patient_id, reason=reason)
    with file.open("xb") as output:
        file.chmod(0o600)
        reports = service.write(subject, objects, output)
    records = sum(len(rows) for rows in subject.rows.values())
    typer.echo(f"{file}: {reports} reports, {records} records, {len(subject.accesses)} acts")
