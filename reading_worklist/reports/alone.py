"""The report of an ECG that one doctor issues alone, while the consortium's switch allows it.

It is final, has one place for a signature and one signature in it, and prints on what it rests.
Every later version takes the road with two.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict
from reading_worklist.reports import signed_alone, submitting
from reading_worklist.reports.signing_checks import NO_REASONS, Reasons
from reading_worklist.reports.structured import filing
from reading_worklist.services import Services
from reading_worklist.single_signature.service import in_force
from reading_worklist.single_signature.tables import SingleSignature
from reading_worklist.typesetting.labels import Language
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.states import Action, State
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.clock import utc_now


def issue_alone(
    services: Services,
    scope: Scope,
    workitem_id: UUID,
    *,
    revision: int,
    signing_pin: str,
    language: Language = Language.ZH_CN,
    reasons: Reasons = NO_REASONS,
) -> None:
    """Sign the saved draft as the only doctor and issue it as the final report.

    revision: of the draft that the doctor saw when signing. reasons: why he signs over warnings.

    Raises:
        Problem: 403 for anybody but a reviewer; 409 when the draft changed, the state does not
            allow it, or two signatures are needed; 422 when the text is not complete.
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
            action=Action.ISSUE_ALONE,
        )
        item = workitems.locked(session, scope, workitem_id)
        basis = _required(session, item, utc_now()).basis
        place = filing.place_of(session, item)
        name = filing.person_name_of(session, scope.person_id)
    signer = services.signer(scope, signing_pin)
    signed_at = utc_now()
    facts = submitting.with_pictures(services, prepared, language)
    signed = submitting.sign(
        services,
        signer,
        workitem_id,
        replace(facts, single_signature_basis=basis),
        language=language,
        signed_at=signed_at,
        last=True,
    )
    made = signed_alone.kept(services, place, name, signed, language=language, signed_at=signed_at)
    with services.database.transaction() as session:
        period = _required(session, workitems.locked(session, scope, workitem_id), signed_at)
        if period.basis != basis:
            raise conflict("changed", "What allows one signature has changed", remedy="Sign again.")
        item, after, version = signed_alone.issued(
            session,
            scope,
            workitem_id,
            made,
            signed,
            prepared=prepared,
            language=language,
            revision=revision,
            action=Action.ISSUE_ALONE,
            single_signature_id=period.id,
        )
        audit.record(
            session,
            scope.actor,
            "report:single_signature",
            subject_kind="report_version",
            subject_id=version.id,
            detail={"basis": basis, "single_signature": str(period.id)},
        )
        item.submitted_at = signed_at
        item.finalised_at = signed_at
        workitems.let_go(item)
        workitems.move(session, item, after, Action.ISSUE_ALONE, scope.actor)
        workitems.move(session, item, State.PUBLISHED, Action.PUBLISH, scope.actor)


def _required(session: Session, item: Workitem, at: datetime) -> SingleSignature:
    period = in_force(session, item.site_id, at, lock=True)
    if period is None:
        raise conflict(
            "two-signatures",
            "This report needs the signatures of two doctors",
            expected="a period in which the consortium allows one signature for ECGs",
            remedy="Submit the report to review.",
        )
    return period
