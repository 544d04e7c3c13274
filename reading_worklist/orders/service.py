"""What people of a site do with its orders."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.orders.schemas import ChangedOrderBody, NewOrderBody, OrderBody, StateBody
from reading_worklist.problems import Problem, conflict, forbidden, not_found
from storage.errors import RdcError
from storage.identity.documents import DocumentFlaw, flaw, normal_number
from storage.orders import procedures
from storage.orders import service as orders
from storage.orders.procedures import LateralityRule
from storage.orders.request import OrderRefused, OrderRequest, StepRequest
from storage.orders.tables import ORDER_NUMBER, Order
from storage.orders.words import OrderSource
from storage.registry import OrganisationKind, Role

ORDERING_ROLES = (Role.SITE_TECHNICIAN, Role.SITE_DOCTOR)
_FLAWS = {
    DocumentFlaw.MISSING: ("a number for this kind of document", "none"),
    DocumentFlaw.UNEXPECTED: ("no number without a kind of document that has one", "a number"),
    DocumentFlaw.MALFORMED: ("18 characters with a right check character, or 15", "others"),
    DocumentFlaw.BIRTH_DATE: ("the birth date of the identity number", "another"),
    DocumentFlaw.SEX: ("the sex of the identity number", "the other"),
}


def place(session: Session, scope: Scope, body: NewOrderBody) -> UUID:
    """Take an order of the acting site.

    Raises:
        Problem: 403 for others than a site's people; 409 for a number in use; 422 for a value that
            cannot stand, an identity document that contradicts the patient among them.
    """
    site_id = _site(scope)
    if body.patient_local_id is None:
        body = body.model_copy(update={"patient_local_id": _local_id(session, site_id, body)})
    request = _request(
        session,
        body,
        site_id,
        accession_number=body.accession_number,
        placer_order_number=body.placer_order_number,
    )
    try:
        return orders.place(session, scope.actor, request).id
    except OrderRefused as error:
        raise _problem(error) from error


def change(session: Session, scope: Scope, order_id: UUID, body: ChangedOrderBody) -> None:
    """Replace what was ordered.

    Raises:
        Problem: as `place`; 404 for an order of another site; 409 when it is cancelled, or was
            not placed by people.
    """
    order = _locked(session, scope, order_id)
    if body.patient_local_id is None:
        body = body.model_copy(update={"patient_local_id": order.patient_local_id})
    if body.keep_document:
        kept = {"document_kind": order.document_kind, "document_number": order.document_number}
        body = body.model_copy(update=kept)
    try:
        orders.change(session, scope.actor, order, _request(session, body, order.site_id))
    except OrderRefused as error:
        raise _problem(error) from error


def set_state(session: Session, scope: Scope, order_id: UUID, body: StateBody) -> None:
    """Check the patient in, or cancel the exam.

    Raises:
        Problem: 403, 404; 409 when the exam's state does not allow it; 422 for a cancellation
            without a reason.
    """
    order = _locked(session, scope, order_id)
    if body.state == "CANCELLED" and body.reason is None:
        raise Problem(
            422, "reason-missing", "A cancellation has a reason", expected="the field reason"
        )
    try:
        if body.state == "CANCELLED":
            orders.cancel(session, scope.actor, order, body.reason)
        else:
            orders.check_in(session, scope.actor, order)
    except OrderRefused as error:
        raise _problem(error) from error


def _site(scope: Scope) -> UUID:
    scope.require(*ORDERING_ROLES)
    if scope.organisation_kind is not OrganisationKind.SITE:
        raise forbidden(
            "Exams are ordered by a site", remedy="Sign in for the site where the patient is."
        )
    return scope.organisation_id


def _local_id(session: Session, site_id: UUID, body: OrderBody) -> str:
    """Return under which id the site knows the holder of the document, else a new one."""
    number = normal_number(body.document_kind, body.document_number)
    if number is not None:
        known = session.scalar(
            select(Order.patient_local_id)
            .where(
                Order.site_id == site_id,
                Order.document_number == number,
                Order.patient_local_id.is_not(None),
            )
            .order_by(Order.requested_at.desc())
            .limit(1)
        )
        if known is not None:
            return known
    return f"N{session.scalars(select(ORDER_NUMBER.next_value())).one():09d}"


def _locked(session: Session, scope: Scope, order_id: UUID) -> Order:
    scope.require(*ORDERING_ROLES)
    order = session.scalar(
        select(Order)
        .where(
            Order.id == order_id,
            scope.sees(Order.site_id),
            Order.source != OrderSource.HEADER,
        )
        .with_for_update()
    )
    if order is None:
        raise not_found("The order")
    return order


def _request(
    session: Session,
    body: OrderBody,
    site_id: UUID,
    *,
    accession_number: str | None = None,
    placer_order_number: str | None = None,
) -> OrderRequest:
    wrong = flaw(
        body.document_kind,
        body.document_number,
        sex=body.patient_sex,
        birth_date=body.patient_birth_date,
    )
    if wrong is not None:
        expected, found = _FLAWS[wrong]
        raise Problem(
            422,
            "identity-document",
            "The identity document contradicts itself or the patient",
            expected=expected,
            found=found,
            remedy="Read the document again.",
        )
    procedure = procedures.called(session, site_id, body.procedure_code)
    if (
        procedure is not None
        and procedure.laterality is LateralityRule.REQUIRED
        and body.laterality is None
    ):
        raise Problem(
            422,
            "side-missing",
            "This procedure is of one side, or of both",
            expected="the field laterality",
            found=procedure.code,
            remedy="Say which side is to be examined.",
        )
    values = {name: getattr(body, name) for name in OrderBody.model_fields if name != "steps"}
    request = OrderRequest(
        site_id=site_id,
        source=OrderSource.API,
        steps=[
            StepRequest(step.modality, step.scheduled_at, step.station_ae_title, step.description)
            for step in body.steps
        ],
        accession_number=accession_number,
        placer_order_number=placer_order_number,
        **values,
    )
    return procedures.completed(session, request)


def _problem(error: OrderRefused) -> Problem:
    told: RdcError = error
    if error.duplicate or error.field == "state":
        return conflict(
            "order-number-taken" if error.duplicate else "wrong-state",
            told.what,
            expected=told.expected,
            found=told.found,
            remedy=told.remedy,
        )
    return Problem(
        422,
        "order-refused",
        told.what,
        expected=told.expected,
        found=told.found,
        remedy=told.remedy,
    )
