"""Versions that do not stand any more: for auditors alone, and marked on every page."""

import io
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, cast

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import forbidden
from reading_worklist.reports.states import RecallKind
from reading_worklist.reports.tables import ReportRecall, ReportSubmission, ReportVersion
from reading_worklist.signing.pdf_objects import page_count
from reading_worklist.typesetting.labels import Language, labels
from reading_worklist.typesetting.typesetter import Typesetter
from storage import audit
from storage.clock import utc_now
from storage.registry import Role

_TEMPLATE: Final = (
    resources.files("reading_worklist.reports.templates").joinpath("recalled.typ").read_bytes()
)


@dataclass(frozen=True, slots=True)
class OldVersion:
    """Why a version does not stand: next_number is of the one in its place, if there is one."""

    kind: RecallKind
    next_number: int | None
    language: Language


def opened(session: Session, scope: Scope, version: ReportVersion) -> OldVersion | None:
    """Return why a version does not stand, and record who looks at it; None when it stands.

    Raises:
        Problem: 403 for anybody but an auditor when it does not stand, for an auditor when it does.
    """
    following = aliased(ReportVersion)
    row = session.execute(
        select(ReportRecall.kind, following.number, ReportSubmission.language)
        .join(following, following.id == ReportRecall.replaced_by, isouter=True)
        .join(ReportSubmission, ReportSubmission.id == version.submission_id)
        .where(ReportRecall.report_version_id == version.id)
    ).one_or_none()
    if row is None:
        if scope.roles == frozenset({Role.AUDITOR}):
            raise forbidden(
                "Auditors read versions that do not stand any more",
                remedy="Ask a doctor of the centre for the report that stands.",
            )
        return None
    if Role.AUDITOR not in scope.roles:
        raise forbidden(
            "This version does not stand any more; only auditors read it",
            remedy="Open the version that stands.",
        )
    audit.record(
        session,
        scope.actor,
        "report:open_old_version",
        subject_kind="report_version",
        subject_id=version.id,
    )
    return OldVersion(row[0], row[1], row[2])


def marked(pdf: bytes, old: OldVersion, typesetter: Typesetter) -> bytes:
    """Return a copy of a signed document with the mark on every page that says why it is old.

    What was signed lies unchanged below the mark; the copy as a whole verifies no more, on purpose.

    Raises:
        TypesettingFailed: the mark cannot be set.
    """
    words = labels(old.language)["recalled"]
    mark = words[old.kind.value].replace("{next}", str(old.next_number or ""))
    # Its methods have no annotations.
    writer = cast("Any", IncrementalPdfFileWriter(io.BytesIO(pdf)))
    for number in range(page_count(pdf)):
        page = writer.find_page_for_modification(number)[0].get_object()
        left, bottom, right, top = (float(edge) for edge in page["/MediaBox"])
        laid = typesetter.compile(
            _TEMPLATE,
            {"mark": mark, "note": words["note"], "width": right - left, "height": top - bottom},
            created_at=utc_now(),
            tagged=False,
        )
        form = writer.import_page_as_xobject(PdfFileReader(io.BytesIO(laid)))
        name = generic.pdf_name("/RecalledMark")
        found = generic.DictionaryObject(
            {generic.pdf_name("/XObject"): generic.DictionaryObject({name: form})}
        )
        # What the page does to its coordinates stays within it.
        for content, prepend in ((b"q", True), (b"Q", False)):
            part = writer.add_object(generic.StreamObject(stream_data=content))
            writer.add_stream_to_page(number, part, prepend=prepend)
        drawn = generic.StreamObject(stream_data=b"q /RecalledMark Do Q")
        writer.add_stream_to_page(number, writer.add_object(drawn), found)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
