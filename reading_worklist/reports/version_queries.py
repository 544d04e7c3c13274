"""Two texts of one report side by side, and the recalls that a person has to know of."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.reports.assembly import ReportText
from reading_worklist.reports.comparison import compare
from reading_worklist.reports.recall_clocks import RecallStep
from reading_worklist.reports.schemas import (
    FieldDifference,
    RecallNotice,
    SegmentView,
    TextComparison,
)
from reading_worklist.reports.tables import (
    RecallRecipient,
    ReportDraft,
    ReportRecall,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Patient, Study
from storage.person_name import display_name, latin_name
from storage.registry import Destination, Person, Role


def comparison(
    session: Session, scope: Scope, workitem_id: UUID, old: UUID, new: UUID | None
) -> TextComparison:
    """Return what differs between two texts of a workitem's report.

    old, new: ids of submissions or versions; without `new` the present draft is compared.

    Raises:
        Problem: 404 when the workitem is not visible or has no such text.
    """
    visible = session.scalar(
        select(Workitem.id).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if visible is None:
        raise not_found("The workitem")
    before = _text(session, workitem_id, old)
    after = _draft(session, workitem_id) if new is None else _text(session, workitem_id, new)
    return TextComparison(
        findings=_difference(before.findings, after.findings),
        impression=_difference(before.impression, after.impression),
        advice=_difference(before.advice, after.advice),
        comparison=_difference(before.comparison, after.comparison),
    )


def recalls_to_know(session: Session, scope: Scope) -> list[RecallNotice]:
    """Return the recalls that this person has to acknowledge, oldest first.

    Those of reports that he has opened; to a doctor of the site also those that a colleague or a
    machine of the site has not acknowledged in time. Only of exams that are visible still.
    """
    following, colleague = aliased(ReportVersion), aliased(Person)
    own = RecallRecipient.person_id == scope.person_id
    mine = own
    if Role.SITE_DOCTOR in scope.roles:
        mine = own | (RecallRecipient.level >= int(RecallStep.SITE_DUTY_HEAD))
    rows = session.execute(
        select(
            RecallRecipient, ReportRecall, ReportVersion, following, colleague, Destination, Patient
        )
        .join(ReportRecall, ReportRecall.report_version_id == RecallRecipient.report_version_id)
        .join(ReportVersion, ReportVersion.id == ReportRecall.report_version_id)
        .join(following, following.id == ReportRecall.replaced_by, isouter=True)
        .join(colleague, colleague.id == RecallRecipient.person_id, isouter=True)
        .join(Destination, Destination.id == RecallRecipient.destination_id, isouter=True)
        .join(Workitem, Workitem.id == ReportRecall.workitem_id)
        .join(Study, Study.id == Workitem.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(mine, RecallRecipient.told_at.is_(None), scope.sees(Workitem.site_id))
        .order_by(ReportRecall.recalled_at, RecallRecipient.id)
    )
    return [
        RecallNotice(
            id=recipient.id,
            workitem_id=recall.workitem_id,
            patient_name=display_name(patient.name),
            patient_latin_name=latin_name(patient.name),
            number=version.number,
            kind=recall.kind,
            reason=recall.reason,
            recalled_at=recall.recalled_at,
            opened_at=recipient.received_at,
            replaced_by=after.number if after else None,
            colleague=None
            if recipient.person_id == scope.person_id
            else recipient_name(recipient, who, where),
            acknowledgeable=recipient.person_id is not None,
        )
        for recipient, recall, version, after, who, where, patient in rows
    ]


def recipient_name(
    recipient: RecallRecipient, person: Person | None, destination: Destination | None
) -> str:
    """Return who has a recalled version, as its site calls him or it."""
    if person is not None:
        return person.display_name
    if destination is not None:
        return destination.label
    return (recipient.machine or "").partition(":")[2]


def _text(session: Session, workitem_id: UUID, wanted: UUID) -> ReportText:
    row = session.scalar(
        select(ReportSubmission)
        .join(ReportVersion, ReportVersion.submission_id == ReportSubmission.id, isouter=True)
        .where(
            ReportSubmission.workitem_id == workitem_id,
            or_(ReportSubmission.id == wanted, ReportVersion.id == wanted),
        )
    )
    if row is None:
        raise not_found("The submission or version")
    return ReportText(row.findings, row.impression, row.advice, comparison=row.comparison)


def _draft(session: Session, workitem_id: UUID) -> ReportText:
    row = session.get(ReportDraft, workitem_id)
    if row is None:
        raise not_found("The draft")
    return ReportText(row.findings, row.impression, row.advice, comparison=row.comparison)


def _difference(before: str, after: str) -> FieldDifference:
    return FieldDifference(
        changed=before != after,
        segments=[SegmentView(change=one.change, text=one.text) for one in compare(before, after)],
    )
