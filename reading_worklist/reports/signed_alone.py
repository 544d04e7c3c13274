"""What reports that one doctor signs have in common: preliminary ones, and final ones of ECGs."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.reports import submitting
from reading_worklist.reports.issuing import issue
from reading_worklist.reports.structured import filing
from reading_worklist.reports.structured.report import SignedBy
from reading_worklist.reports.submitting import Prepared, Signed
from reading_worklist.reports.tables import ReportDraft, ReportVersion
from reading_worklist.services import Services
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.rules import check
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Workitem


def kept(
    services: Services,
    place: filing.Place,
    name: str,
    signed: Signed,
    *,
    language: Language,
    signed_at: datetime,
) -> filing.Kept:
    """Make the objects of the version that one doctor has signed, and keep their bytes.

    name: of the doctor. Writes objects: call it outside of a transaction.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    return filing.kept(
        services.objects,
        place,
        filing.Issued(
            uuid4(),
            signed.document,
            signed.stored,
            language,
            (SignedBy(name, signed.document.diagnosing.name, signed_at),),
            title=signed.document.title(language),
            at=signed_at,
        ),
    )


def issued(
    session: Session,
    scope: Scope,
    workitem_id: UUID,
    made: filing.Kept,
    signed: Signed,
    *,
    prepared: Prepared,
    language: Language,
    revision: int,
    action: Action,
    single_signature_id: UUID | None = None,
) -> tuple[Workitem, State, ReportVersion]:
    """Issue what was kept; return the locked reading, its state after `action`, and the version.

    The state is the caller's to set.

    Raises:
        Problem: 409 when the draft changed since, or the state does not allow it.
    """
    filing.file(session, made)
    item = workitems.locked(session, scope, workitem_id)
    after = check(item, action, scope)
    submitting.same_revision(session.get_one(ReportDraft, workitem_id).revision, revision)
    submission = submitting.add(
        session, scope, workitem_id, signed, language, overridden=prepared.overridden
    )
    version = issue(
        session,
        scope,
        item,
        submission,
        signed.stored,
        reviewer_id=None,
        reason="",
        single_signature_id=single_signature_id,
        version_id=made.version.id,
    )
    return item, after, version
