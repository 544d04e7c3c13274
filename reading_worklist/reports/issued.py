"""From an issued version to its neutral form, which senders and the FHIR interface are made from.

It is written in the transaction that issues the version, from rows alone, so that both are there
or neither is. Versions of an earlier release get theirs from `describe_earlier`.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from reading_worklist.consultations.tables import Practitioner
from reading_worklist.modalities import examined
from reading_worklist.reports import queries
from reading_worklist.reports.document import EcgBlock, ReportDocument, ReportStatus
from reading_worklist.reports.ordered import order_of
from reading_worklist.reports.states import RevocationState
from reading_worklist.reports.structured.ecg_tree import MDC_CODES
from reading_worklist.reports.tables import (
    ReportRecall,
    ReportRevocation,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.typesetting.labels import Language, labels
from reading_worklist.workitems.tables import Workitem
from storage import issued_reports as kept
from storage.database import Database
from storage.index.tables import Instance, Patient, Series, Study
from storage.issued_reports import (
    IssuedCode,
    IssuedDocument,
    IssuedExam,
    IssuedKeyImage,
    IssuedMeasurement,
    IssuedOrder,
    IssuedOrganisation,
    IssuedPatient,
    IssuedPredecessor,
    IssuedReport,
    IssuedReportRow,
    IssuedSection,
    IssuedSeries,
    IssuedSigner,
    IssuedTimes,
    IssuedVisit,
    SectionLabel,
)
from storage.orders.tables import Order
from storage.person_name import display_name, latin_name
from storage.registry import Organisation, Person
from storage.report_status import KIND_OF_FHIR_STATUS, IssuedKind

_EARLIER_AT_ONCE: Final = 50


def keep_version(session: Session, version: ReportVersion, centre_id: UUID) -> None:
    """Keep the neutral form of a version that is being issued, in the same transaction.

    centre_id: the organisation that its signers act for.
    """
    kept.write(session, _of_version(session, version, centre_id))


def keep_notice(session: Session, revocation: ReportRevocation) -> None:
    """Keep the neutral form of the notice that a version is void, as it is confirmed."""
    centre_id = _centre_of(session, revocation.workitem_id, revocation.report_version_id)
    kept.write(session, _of_notice(session, revocation, centre_id))


def describe_earlier(database: Database, *, limit: int = _EARLIER_AT_ONCE) -> int:
    """Keep the neutral form of issued versions and notices that have none; returns how many.

    They were issued by a release that did not keep any. The patient is the one decided today.
    """
    with database.transaction() as session:
        versions = session.scalars(
            select(ReportVersion)
            .where(~exists().where(IssuedReportRow.report_version_id == ReportVersion.id))
            .order_by(ReportVersion.issued_at)
            .limit(limit)
        ).all()
        notices = session.scalars(
            select(ReportRevocation)
            .where(
                ReportRevocation.state == RevocationState.CONFIRMED,
                ~exists().where(IssuedReportRow.report_version_id == ReportRevocation.id),
            )
            .limit(limit)
        ).all()
        for version in versions:
            keep_version(session, version, _centre_of(session, version.workitem_id, version.id))
        for notice in notices:
            keep_notice(session, notice)
        return len(versions) + len(notices)


def _centre_of(session: Session, workitem_id: UUID, version_id: UUID) -> UUID:
    """Return who the signers of a version acted for: as kept, else by the name in its document."""
    described = kept.read(session, version_id)
    if described is not None:
        return described.centre.id
    submission = queries.latest_submission(session, workitem_id)
    assert submission is not None
    name = queries.stored_document(submission).diagnosing.name
    site_id = session.get_one(Workitem, workitem_id).site_id
    by_name = select(Organisation.id).where(Organisation.name == name).order_by(Organisation.code)
    return session.scalar(by_name.limit(1)) or site_id


def _of_version(session: Session, version: ReportVersion, centre_id: UUID) -> IssuedReport:
    submission = session.get_one(ReportSubmission, version.submission_id)
    document = queries.stored_document(submission)
    recalled = session.scalar(select(ReportRecall).where(ReportRecall.replaced_by == version.id))
    replaced = recalled and session.get_one(ReportVersion, recalled.report_version_id)
    return _report(
        session,
        version,
        submission,
        centre_id,
        own_id=version.id,
        kind=KIND_OF_FHIR_STATUS[document.status.value],
        predecessor=_predecessor(replaced) if replaced else None,
        title=document.title(submission.language),
        issued_at=version.issued_at,
        sections=_sections(document, submission.language),
        pdf=(version.pdf_object_key, version.pdf_sha256),
    )


def _of_notice(session: Session, revocation: ReportRevocation, centre_id: UUID) -> IssuedReport:
    version = session.get_one(ReportVersion, revocation.report_version_id)
    submission = session.get_one(ReportSubmission, version.submission_id)
    document = queries.stored_document(submission)
    words = labels(submission.language)
    assert revocation.decided_at is not None
    assert revocation.pdf_object_key is not None
    assert revocation.pdf_sha256 is not None
    void = words["revocation"]["void"].replace("{code}", document.verification_code)
    return _report(
        session,
        version,
        submission,
        centre_id,
        own_id=revocation.id,
        kind=IssuedKind.NOTICE,
        predecessor=_predecessor(version),
        title=notice_title(document, submission.language),
        issued_at=revocation.decided_at,
        sections=(
            IssuedSection(label=SectionLabel.NOTICE, text=void),
            IssuedSection(label=SectionLabel.ADVICE, text=words["revocation"]["advice"]),
            IssuedSection(label=SectionLabel.AMENDMENT_REASON, text=revocation.reason),
        ),
        pdf=(revocation.pdf_object_key, revocation.pdf_sha256),
    )


def notice_title(document: ReportDocument, language: Language) -> str:
    """Return how the notice that a report is void is listed."""
    status = labels(language)["status"][ReportStatus.REVOKED.value]
    return f"{document.title(language)} {status}"


def _report(
    session: Session,
    version: ReportVersion,
    submission: ReportSubmission,
    centre_id: UUID,
    *,
    own_id: UUID,
    kind: IssuedKind,
    predecessor: IssuedPredecessor | None,
    title: str,
    issued_at: datetime,
    sections: tuple[IssuedSection, ...],
    pdf: tuple[str, str],
) -> IssuedReport:
    document = queries.stored_document(submission)
    item = session.get_one(Workitem, version.workitem_id)
    study = session.get_one(Study, item.study_id)
    order = order_of(session, study.id)
    centre = _organisation(session, centre_id)
    is_notice = kind is IssuedKind.NOTICE
    return IssuedReport(
        report_version_id=own_id,
        workitem_id=item.id,
        study_id=study.id,
        kind=kind,
        version_number=version.number,
        predecessor=predecessor,
        title=title,
        language=submission.language.value,
        time_zone=document.time_zone,
        site=_organisation(session, item.site_id),
        centre=centre,
        patient=_patient(session.get_one(Patient, study.patient_id), order),
        visit=_visit(order),
        order=_ordered(order, study, document),
        exam=_exam(session, study, document),
        times=IssuedTimes(
            issued=issued_at,
            written=submission.submitted_at,
            received=document.received_at,
            ordered=order.requested_at if order else document.ordered_at,
            acquired=document.performed_at,
            reviewed=version.issued_at if version.reviewer_id else None,
        ),
        writer=_signer(session, version.writer_id, centre, submission.submitted_at),
        reviewer=_signer(session, version.reviewer_id, centre, version.issued_at)
        if version.reviewer_id
        else None,
        sections=sections,
        codes=()
        if is_notice
        else tuple(IssuedCode(name=name, value=value) for name, value in document.codes.items()),
        measurements=() if is_notice else _measurements(document.ecg),
        key_images=() if is_notice else _key_images(session, study.id, document),
        critical=bool(document.critical_notice),
        critical_notice=document.critical_notice,
        document=IssuedDocument(
            object_key=pdf[0],
            sha256=pdf[1],
            verification_code=document.verification_code,
            verification_url=document.verification_url,
        ),
    )


def _predecessor(version: ReportVersion) -> IssuedPredecessor:
    return IssuedPredecessor(
        report_version_id=version.id, version_number=version.number, issued_at=version.issued_at
    )


def _organisation(session: Session, organisation_id: UUID) -> IssuedOrganisation:
    found = session.get_one(Organisation, organisation_id)
    return IssuedOrganisation(id=found.id, code=found.code, name=found.name, name_en=found.name_en)


def _patient(patient: Patient, order: Order | None) -> IssuedPatient:
    same = order is not None and order.patient_local_id == patient.local_id
    return IssuedPatient(
        local_id=patient.local_id,
        issuer=order.patient_id_issuer if order is not None and same else None,
        name=display_name(patient.name),
        pinyin=latin_name(patient.name),
        name_value=patient.name,
        sex=patient.sex or "",
        birth_date=patient.birth_date,
    )


def _visit(order: Order | None) -> IssuedVisit:
    if order is None:
        return IssuedVisit()
    return IssuedVisit(
        visit_type=order.visit_type.value,
        visit_number=order.visit_number or "",
        department=order.department or "",
        bed=order.bed or "",
    )


def _ordered(order: Order | None, study: Study, document: ReportDocument) -> IssuedOrder:
    accession_number = study.accession_number or document.accession_number
    if order is None:
        return IssuedOrder(
            accession_number=accession_number,
            procedure=document.procedure,
            requester=document.requester,
        )
    return IssuedOrder(
        accession_number=order.accession_number or accession_number,
        placer_order_number=order.placer_order_number or "",
        filler_order_number=order.filler_order_number or "",
        requested_procedure_id=order.requested_procedure_id,
        procedure_code=order.procedure_code or "",
        procedure=order.procedure_description or document.procedure,
        requester=order.requester or document.requester,
        clinical_diagnosis=order.clinical_diagnosis or "",
        reason=order.reason or "",
    )


def _exam(session: Session, study: Study, document: ReportDocument) -> IssuedExam:
    series = session.scalars(
        select(Series)
        .where(Series.study_id == study.id)
        .order_by(Series.series_number.nulls_last(), Series.id)
    ).all()
    counted = session.execute(
        select(Instance.series_id.label("of"), func.count().label("number"))
        .where(Instance.study_id == study.id)
        .group_by(Instance.series_id)
    )
    counts = {row.of: row.number for row in counted}
    return IssuedExam(
        study_instance_uid=study.study_instance_uid,
        modality=document.modality,
        modalities=tuple(examined(study.modalities)),
        description=study.study_description or "",
        body_part=document.body_part,
        laterality=document.laterality,
        device=document.device,
        study_date=study.study_date,
        series=tuple(
            IssuedSeries(
                series_instance_uid=one.series_instance_uid,
                modality=one.modality or "",
                number=one.series_number,
                description=one.series_description or "",
                body_part=one.body_part_examined or "",
                laterality=one.laterality or "",
                instance_count=counts.get(one.id, 0),
            )
            for one in series
        ),
    )


def _signer(
    session: Session, person_id: UUID, centre: IssuedOrganisation, at: datetime
) -> IssuedSigner:
    serial = session.scalar(
        select(SigningCredential.serial)
        .where(SigningCredential.person_id == person_id, SigningCredential.created_at <= at)
        .order_by(SigningCredential.created_at.desc())
        .limit(1)
    )
    return IssuedSigner(
        person_id=person_id,
        name=session.get_one(Person, person_id).display_name,
        title=session.scalar(select(Practitioner.title).where(Practitioner.person_id == person_id))
        or "",
        organisation=centre,
        certificate_serial=serial or "",
        signed_at=at,
    )


def _sections(document: ReportDocument, language: Language) -> tuple[IssuedSection, ...]:
    texts = (
        (SectionLabel.FINDINGS, document.findings),
        (SectionLabel.IMPRESSION, document.impression_in(language)),
        (SectionLabel.ADVICE, document.advice),
        (SectionLabel.COMPARISON, document.comparison),
        (SectionLabel.TECHNIQUE, document.technique),
        (SectionLabel.AMENDMENT_REASON, document.amendment_reason),
    )
    told = document.ecg.device_statements if document.ecg else ()
    return (
        *(IssuedSection(label=label, text=text) for label, text in texts if text),
        *(IssuedSection(label=SectionLabel.DEVICE_STATEMENT, text=text) for text in told),
        *(
            IssuedSection(label=SectionLabel.ADDENDUM, text=one.text, at=one.written_at)
            for one in document.addenda
        ),
    )


def _measurements(ecg: EcgBlock | None) -> tuple[IssuedMeasurement, ...]:
    return tuple(
        IssuedMeasurement(
            name=one.name,
            mdc=MDC_CODES.get(one.name),
            value=one.value,
            unit=one.unit,
            source=one.source,
            reason=one.reason,
        )
        for one in (ecg.measurements if ecg else ())
    )


def _key_images(
    session: Session, study_id: UUID, document: ReportDocument
) -> tuple[IssuedKeyImage, ...]:
    if not document.key_images:
        return ()
    found = session.execute(
        select(Instance.sop_instance_uid, Instance.sop_class_uid).where(
            Instance.study_id == study_id,
            Instance.sop_instance_uid.in_({one.sop_instance_uid for one in document.key_images}),
        )
    )
    classes = {row.sop_instance_uid: row.sop_class_uid for row in found}
    return tuple(
        IssuedKeyImage(
            series_instance_uid=one.series_instance_uid,
            sop_class_uid=classes.get(one.sop_instance_uid, ""),
            sop_instance_uid=one.sop_instance_uid,
            frame_number=one.frame_number,
            frame_count=one.frame_count,
        )
        for one in document.key_images
    )
