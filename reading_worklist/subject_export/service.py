"""A patient's own data as an archive that a person can read (PIPL Article 45, GDPR Article 15).

    index.html      what is in here, in Chinese and English: studies, reports, who saw what
    reports/*.pdf   every report version as it was signed
    records.json    every row about the patient, by table
    access.json     who did and saw what of it, with times

Images are not in it: they are handed over as DICOM media, and their list says what there is.
"""

import html
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from typing_extensions import Buffer, override

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem, not_found
from reading_worklist.subject_export.gathering import Rows, rows_of
from storage import audit
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.index.tables import Patient
from storage.objects import ObjectKey, ObjectStore
from storage.registry import Organisation, Person, Role

MAY: Final = (Role.CONSORTIUM_ADMIN,)
REASON_MIN: Final = 3
_SHOWN_STUDY: Final = (
    "study_date",
    "modalities",
    "study_description",
    "study_instance_uid",
    "state",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data, and all of it.

    accesses: who did what, oldest first.
    """

    patient_id: UUID
    site_code: str
    local_id: str
    name: str
    rows: Rows
    accesses: Sequence[dict[str, str]]


def find(session: Session, scope: Scope, *, site_code: str, local_id: str) -> tuple[Patient, str]:
    """Return the patient of a visible site with this number, and the site's code.

    Raises:
        Problem: 403 for other roles, 404 for no such patient of a visible site.
    """
    scope.require(*MAY)
    found = session.execute(
        select(Patient, Organisation.code)
        .join(Organisation, Organisation.id == Patient.site_id)
        .where(
            scope.sees(Patient.site_id),
            Organisation.code == site_code,
            Patient.local_id == local_id,
        )
    ).one_or_none()
    if found is None:
        raise not_found("The patient")
    return found[0], found[1]


def gather(
    session: Session, scope: Scope, *, site_code: str, local_id: str, reason: str
) -> Subject:
    """Return what is kept about a patient of a visible site, and record that it is handed over.

    Raises:
        Problem: 403 for other roles, 404 for no such patient of a visible site, 422 without reason.
    """
    patient, code = find(session, scope, site_code=site_code, local_id=local_id)
    if len(reason.strip()) < REASON_MIN:
        raise Problem(422, "reason-missing", "Say why the data are handed over")
    rows = rows_of(session, patient.id)
    accesses = list(_accesses(session, rows))
    audit.record(
        session,
        scope.actor,
        "patient:export",
        subject_kind="patient",
        subject_id=patient.id,
        detail={"reason": reason.strip(), "records": sum(map(len, rows.values()))},
    )
    return Subject(patient.id, code, local_id, patient.name, rows, accesses)


def write(subject: Subject, objects: ObjectStore, file: BinaryIO) -> int:
    """Write the archive; return how many reports are in it. Waits as `pieces` does."""
    file.writelines(pieces(subject, objects))
    return len(_reports(subject))


def pieces(subject: Subject, objects: ObjectStore) -> Iterator[bytes]:
    """Yield the archive, one document after the other, and no more of it in memory than one.

    Outside of any transaction: it waits for the object store. Who is given pieces that end before
    the archive's own directory has an archive that does not open.
    """
    names: list[str] = []
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, row in enumerate(_reports(subject), 1):
            names.append(f"reports/{place:03}-version-{row['number']}-{row['status']}.pdf")
            archive.writestr(names[-1], objects.read(ObjectKey(row["pdf_object_key"])))
            yield sink.taken()
        for name, content in (("records", subject.rows), ("access", subject.accesses)):
            text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
            archive.writestr(f"{name}.json", text)
            yield sink.taken()
        archive.writestr("index.html", _index(subject, names))
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What was written since it was taken last; there is no way back in it."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self._written += data
        return memoryview(data).nbytes

    def taken(self) -> bytes:
        """Return what there is, and keep nothing of it."""
        written = bytes(self._written)
        self._written.clear()
        return written


def _reports(subject: Subject) -> list[dict[str, Any]]:
    """Return the rows of the report versions in the order in which they were issued."""
    rows = subject.rows.get("report_version", ())
    return sorted(rows, key=lambda row: (row["issued_at"], row["number"]))


def _accesses(session: Session, rows: Rows) -> Iterable[dict[str, str]]:
    """Yield the trail of everything found; a study is known to viewers by its UID."""
    numbers = {str(row["id"]) for table in rows.values() for row in table if "id" in row}
    studies = {str(row["study_instance_uid"]) for row in rows.get("study", ())}
    found = session.execute(
        select(AuditRecord, Person.display_name, Organisation.name)
        .outerjoin(Person, Person.id == AuditRecord.person_id)
        .outerjoin(Organisation, Organisation.id == AuditRecord.organisation_id)
        .where(
            or_(
                AuditRecord.subject_id.in_(numbers),
                (AuditRecord.subject_kind == "dicom_study") & AuditRecord.subject_id.in_(studies),
            )
        )
        .order_by(AuditRecord.id)
    )
    for record, person, organisation in found:
        yield {
            "at": record.at.isoformat(timespec="seconds"),
            "action": record.action,
            "person": person or record.client,
            "organisation": organisation or "",
            "subject": f"{record.subject_kind} {record.subject_id}",
        }


def _index(subject: Subject, reports: Sequence[str]) -> str:
    """Return the page that a person opens first; it loads nothing."""
    studies = [
        [_cell(row.get(name)) for name in _SHOWN_STUDY] for row in subject.rows.get("study", ())
    ]
    links = [[f'<a href="{html.escape(name)}">{html.escape(name)}</a>'] for name in reports]
    seen = [
        [_cell(one[name]) for name in ("at", "person", "organisation", "action")]
        for one in subject.accesses
    ]
    kept = [[_cell(name), str(len(rows))] for name, rows in sorted(subject.rows.items())]
    parts = (
        ("检查 · Studies", ("日期 Date", "Modality", "Description", "Study UID", "State"), studies),
        ("报告 · Reports", ("文件 File",), links),
        (
            "谁看过、做过什么 · Who saw and did what",
            ("时间 Time (UTC)", "人员 Person", "机构 Organisation", "操作 Act"),
            seen,
        ),
        ("全部记录 records.json · All records", ("表 Table", "条数 Rows"), kept),
    )
    title = f"{html.escape(subject.name)} · {html.escape(subject.local_id)}"
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>个人信息副本 · Copy of personal data</h1><p>{title} · "
        f"{html.escape(subject.site_code)} · {utc_now():%Y-%m-%d %H:%M} UTC</p>"
        "<p>影像另以 DICOM 介质提供。Images are handed over as DICOM media.</p>"
        + "".join(_table(*part) for part in parts)
        + "</html>"
    )


def _table(heading: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{one}</td>' for one in row)}</tr>" for row in rows)
    return f'<h2>{heading} ({len(rows)})</h2><table border="1"><tr>{head}</tr>{body}</table>'


def _cell(value: Any) -> str:  # noqa: ANN401 -- of any column
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] -- of any column
    return html.escape(text)
