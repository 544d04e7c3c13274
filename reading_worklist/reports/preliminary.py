"""A preliminary report: one doctor alone signs, and the final report follows by review.

The writer signs two documents with one PIN: the preliminary one, which goes out at once under its
watermark, and the final one, which waits for the reviewer's signature. So the reviewer signs what
the writer has signed, as always.
"""

from dataclasses import replace
from datetime import datetime, time
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict
from reading_worklist.reports import signed_alone, submitting
from reading_worklist.reports.assembly import with_new_code
from reading_worklist.reports.document import ReportStatus
from reading_worklist.reports.signing_checks import NO_REASONS, Reasons
from reading_worklist.reports.structured import filing
from reading_worklist.services import Services
from reading_worklist.typesetting.labels import Language
from reading_worklist.working_time.hours import WorkingTime
from reading_worklist.working_time.queries import working_time
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import Action
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.orders.words import Priority

REVIEW_AT: Final = time(12)
"""When on the next working day the final review is due, in local time."""


def issue_preliminary(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    *,
    revision: int,
    signing_pin: str,
    language: Language = Language.ZH_CN,
    reasons: Reasons = NO_REASONS,
) -> None:
    """Issue the saved draft as a preliminary report, and hand the final one to review.

    revision: of the draft that the writer saw when signing. reasons: why he signs over warnings.

    Raises:
        Problem: 409 when the draft changed, the state does not allow it, or a second doctor is
            there; 422 when the text is not complete.
        SigningRefused: the PIN or the key.
    """
    with services.database.transaction() as session:
        prepared = submitting.prepare(
            services,
            session,
            scope,
            workitem_id,
            revision=revision,
            reasons=reasons,
            action=Action.ISSUE_PRELIMINARY,
        )
        item = workitems.locked(session, scope, workitem_id)
        _require_alone(item, _worked(session, scope), utc_now())
        place = filing.place_of(session, item)
        name = filing.person_name_of(session, scope.person_id)
    signer = services.signer(scope, signing_pin)
    signed_at = utc_now()
    facts = submitting.with_pictures(services, prepared, language)
    final = with_new_code(
        replace(facts, version_number=facts.version_number + 1), services.config.public_url
    )
    facts = replace(facts, status=ReportStatus.PRELIMINARY)
    shown = submitting.sign(
        services, signer, workitem_id, facts, language=language, signed_at=signed_at, last=True
    )
    waiting = submitting.sign(
        services, signer, workitem_id, final, language=language, signed_at=signed_at
    )
    made = signed_alone.kept(services, place, name, shown, language=language, signed_at=signed_at)
    with services.database.transaction() as session:
        item, after, _ = signed_alone.issued(
            session,
            scope,
            workitem_id,
            made,
            shown,
            prepared=prepared,
            language=language,
            revision=revision,
            action=Action.ISSUE_PRELIMINARY,
        )
        submitting.add(
            session, scope, workitem_id, waiting, language, overridden=prepared.overridden
        )
        item.preliminary_at = signed_at
        item.submitted_at = signed_at
        item.due_at = review_due(_worked(session, scope), signed_at)
        workitems.let_go(item)
        workitems.move(session, item, after, Action.ISSUE_PRELIMINARY, scope.actor)


def review_due(worked: WorkingTime, issued_at: datetime) -> datetime:
    """Return when the final review of a preliminary report is due: the next working day at noon."""
    return worked.next_working_day_at(issued_at, REVIEW_AT)


def alone_allowed(priority: Priority, worked: WorkingTime, now: datetime) -> bool:
    """Tell whether one doctor may issue by himself: what is STAT, or outside of working hours."""
    return priority is Priority.STAT or not worked.is_working(now)


def _worked(session: Session, scope: Scope) -> WorkingTime:
    return working_time(session, scope.organisation_id)


def _require_alone(item: Workitem, worked: WorkingTime, now: datetime) -> None:
    if not alone_allowed(item.priority, worked, now):
        raise conflict(
            "not-alone",
            "In working hours a second doctor reviews what is not STAT",
            expected="an exam of priority STAT, or a time outside of working hours",
            found=item.priority,
            remedy="Submit the report to review.",
        )
