"""What the request for an exam brings to its report: visit, order, question, and the patient."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.reports.document import ReportDocument, mask_identity
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import OrderSource


def order_of(session: Session, study_id: UUID) -> Order | None:
    """Return the order that was placed for the exam; one made from its header tells nothing new."""
    return session.scalar(
        select(Order)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study_id, Order.source != OrderSource.HEADER)
        .limit(1)
    )


def as_ordered(document: ReportDocument, order: Order | None) -> ReportDocument:
    """Return the report with what its order says; what the images say themselves comes first.

    Only the procedure and the side are as ordered where the order names them: a device writes its
    protocol's name, and often no side.
    """
    if order is None:
        return document
    patient = replace(
        document.patient,
        identity=mask_identity(order.document_number or ""),
        visit_type=order.visit_type.value,
        visit_number=order.visit_number or "",
        department=order.department or "",
        bed=order.bed or "",
    )
    return replace(
        document,
        patient=patient,
        accession_number=document.accession_number or order.accession_number or "",
        order_number=order.placer_order_number or order.requested_procedure_id,
        requester=order.requester or document.requester,
        clinical_diagnosis=order.clinical_diagnosis or "",
        purpose=order.reason or "",
        procedure=order.procedure_description or document.procedure,
        body_part=document.body_part or order.body_part or "",
        laterality=document.laterality or (order.laterality.value if order.laterality else ""),
        ordered_at=order.requested_at,
    )
