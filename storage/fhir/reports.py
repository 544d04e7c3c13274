"""An issued report, its document and who vouches for it as R4 resources."""

import base64
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from storage.fhir.elements import (
    LOINC,
    V2_SERVICE_SECTION,
    Element,
    coding,
    concept,
    day,
    element,
    identifier,
    instant,
    narrative,
    present,
    reference,
    resource,
)
from storage.fhir.exams import order_identifiers, procedure
from storage.fhir.identities import CODES, STANDING, Ids, Systems, resource_id
from storage.fhir.observations import Told
from storage.fhir.people import signers
from storage.fhir.words import CATEGORIES, CONCLUSIONS, words
from storage.issued_reports.model import IssuedReport, IssuedSigner, SectionLabel

PDF: Final = "application/pdf"
VOID: Final = "entered-in-error"
_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ECG_REPORT: Final = coding(LOINC, "11524-6", "EKG study")
_IMAGING_REPORT: Final = coding(LOINC, "18748-4", "Diagnostic imaging study")
_DOCUMENT_STATUS: Final = {
    "preliminary": "preliminary",
    "final": "final",
    "amended": "amended",
    "appended": "amended",
    VOID: VOID,
}


@dataclass(frozen=True, slots=True)
class Pdf:
    """Where the receiver finds the signed PDF: in the resource itself, or under an address.

    content: its bytes; None leaves them out. url: absolute; "" for none.
    """

    content: bytes | None = None
    url: str = ""


def version_id(report: IssuedReport) -> str:
    """Return `meta.versionId` of a report: "2", and of the notice that it is void "2-void"."""
    number = str(report.version_number)
    return f"{number}-void" if report.status == VOID else number


def diagnostic_report(
    report: IssuedReport,
    ids: Ids,
    systems: Systems,
    told: list[Told],
    pdf: Pdf,
    *,
    superseded: bool = False,
) -> Element:
    """Return the report; all versions of it have one id, so that there is one that stands.

    superseded: a later version has been issued; the narrative and `meta.tag` say so.
    """
    void = report.status == VOID
    impression = report.text(SectionLabel.IMPRESSION)
    tags = [coding(STANDING, "superseded")] if superseded else []
    return resource(
        "DiagnosticReport",
        ids.report,
        meta=element(tag=tags),
        language=report.language,
        text=_narrative(report, superseded=superseded),
        identifier=report_identifiers(report, systems),
        basedOn=[] if ids.order is None else [reference("ServiceRequest", ids.order)],
        status=report.status,
        category=_categories(report),
        code=_code(report, systems),
        subject=reference("Patient", ids.patient, report.patient.name),
        encounter=_visit(report, systems),
        effectiveDateTime=instant(report.times.acquired) or day(report.exam.study_date),
        issued=instant(report.times.issued),
        performer=[reference("Organization", ids.centre, report.centre.name)],
        resultsInterpreter=[
            reference("Practitioner", resource_id("Practitioner", one.person_id), one.name)
            for one in signers(report)
        ],
        result=[reference("Observation", one.id) for one in told],
        imagingStudy=[reference("ImagingStudy", ids.study)],
        conclusion="" if void else impression,
        conclusionCode=[] if void else _conclusions(report),
        presentedForm=present([attachment(report, pdf)]),
    )


def report_identifiers(report: IssuedReport, systems: Systems) -> list[Element]:
    """Return the numbers of a report: its own first, by which a receiver finds it again.

    Then this version's, the verification code on the paper, and those of the order.
    """
    own = identifier(systems.report, str(report.workitem_id), use="official")
    return present(
        [
            own,
            identifier(systems.version, str(report.report_version_id)),
            identifier(systems.verification, report.document.verification_code),
            *order_identifiers(report, systems),
        ]
    )


def attachment(report: IssuedReport, pdf: Pdf) -> Element | None:
    """Return the signed PDF as an Attachment; None when it is neither here nor anywhere."""
    if pdf.content is None and not pdf.url:
        return None
    return element(
        contentType=PDF,
        language=report.language,
        data=base64.b64encode(pdf.content).decode() if pdf.content is not None else None,
        url=pdf.url,
        size=len(pdf.content) if pdf.content is not None else None,
        title=report.title,
        creation=instant(report.times.issued),
    )


def document_reference(
    report: IssuedReport, ids: Ids, systems: Systems, pdf: Pdf, *, superseded: bool = False
) -> Element:
    """Return the signed document of a version; each version has one of its own."""
    relates = []
    if report.predecessor is not None:
        before = resource_id("DocumentReference", report.predecessor.report_version_id)
        code = "appends" if report.status == "appended" else "replaces"
        relates = [{"code": code, "target": reference("DocumentReference", before)}]
    writer, reviewer = report.writer, report.reviewer or report.writer
    return resource(
        "DocumentReference",
        ids.document,
        masterIdentifier=identifier(systems.version, str(report.report_version_id)),
        identifier=present([identifier(systems.verification, report.document.verification_code)]),
        status="superseded" if superseded else "current",
        docStatus=_DOCUMENT_STATUS[report.status],
        type=_code(report, systems),
        category=_categories(report),
        subject=reference("Patient", ids.patient, report.patient.name),
        date=instant(report.times.issued),
        author=present([_signed(writer)]),
        authenticator=_signed(reviewer),
        custodian=reference("Organization", ids.centre, report.centre.name),
        relatesTo=relates,
        description=report.title,
        content=[{"attachment": attachment(report, pdf) or {"contentType": PDF}}],
        context={
            "related": [
                reference("DiagnosticReport", ids.report),
                reference("ImagingStudy", ids.study),
            ]
        },
    )


def provenance(report: IssuedReport, ids: Ids) -> Element:
    """Return who vouches for a version; the signatures themselves are in the PDF."""
    agents = [
        _agent("author", report.writer),
        _agent("verifier", report.reviewer),
    ]
    custodian = element(
        type=concept(coding(_AGENT, "custodian")),
        who=reference("Organization", ids.centre, report.centre.name),
    )
    return resource(
        "Provenance",
        ids.provenance,
        target=[
            reference("DiagnosticReport", ids.report),
            reference("DocumentReference", ids.document),
        ],
        recorded=instant(report.times.issued),
        agent=[*present(agents), custodian],
        entity=[{"role": "source", "what": reference("ImagingStudy", ids.study)}],
    )


def _visit(report: IssuedReport, systems: Systems) -> Element | None:
    """Return the visit by its number alone: the encounter is the site's own."""
    number = identifier(systems.visit, report.visit.visit_number, type_code="VN")
    return element(type="Encounter", identifier=number) if number else None


def _agent(code: str, signer: IssuedSigner | None) -> Element | None:
    if signer is None:
        return None
    who = reference("Practitioner", resource_id("Practitioner", signer.person_id), signer.name)
    return element(
        type=concept(coding(_AGENT, code), text=f"certificate {signer.certificate_serial}"),
        who=who,
        onBehalfOf=reference(
            "Organization",
            resource_id("Organization", signer.organisation.id),
            signer.organisation.name,
        ),
    )


def _signed(signer: IssuedSigner | None) -> Element | None:
    if signer is None:
        return None
    return reference("Practitioner", resource_id("Practitioner", signer.person_id), signer.name)


def _code(report: IssuedReport, systems: Systems) -> Element | None:
    asked = procedure(report, systems) or {}
    kind = _ECG_REPORT if report.is_ecg else _IMAGING_REPORT
    return concept(kind, *asked.get("coding", []), text=asked.get("text", "") or report.title)


def _categories(report: IssuedReport) -> list[Element]:
    if report.is_ecg:
        known = [("EC", "Electrocardiac (e.g., EKG, EEC, Holter)")]
    else:
        special = CATEGORIES.get(report.exam.modality)
        known = [("RAD", "Radiology"), *([special] if special else [])]
    return [{"coding": [coding(V2_SERVICE_SECTION, code, display)]} for code, display in known]


def _conclusions(report: IssuedReport) -> list[Element]:
    return present(
        concept(
            *([known] if known else []),
            coding(CODES, f"{one.name}.{one.value}"),
            text=one.value,
        )
        for one in report.codes
        if one.name in {"ecg_class", "bi_rads", "pi_rads", "result"}
        for known in [CONCLUSIONS.get((one.name, one.value))]
    )


def _narrative(report: IssuedReport, *, superseded: bool) -> Element:
    names = words(report.language)
    who, exam = report.patient, report.exam
    zone = ZoneInfo(report.time_zone)
    performed = report.times.acquired
    status = names[report.status]
    if superseded:
        status = f"{names['superseded']}（{status}）"
    facts = {
        names["status"]: status,
        names["patient"]: " ".join(one for one in (who.name, who.pinyin) if one),
        names["sex"]: names.get(who.sex, ""),
        names["birth_date"]: day(who.birth_date) or "",
        names["local_id"]: who.local_id or "",
        names["visit_number"]: report.visit.visit_number,
        names["accession"]: report.order.accession_number,
        names["procedure"]: report.order.procedure or exam.description,
        names["body_part"]: exam.body_part,
        names["laterality"]: names.get(exam.laterality, ""),
        names["performed"]: f"{performed.astimezone(zone):%Y-%m-%d %H:%M}" if performed else "",
        names["issued"]: f"{report.times.issued.astimezone(zone):%Y-%m-%d %H:%M}",
        names["writer"]: report.writer.name if report.writer else "",
        names["reviewer"]: report.reviewer.name if report.reviewer else "",
        names["site"]: report.site.name,
        names["centre"]: report.centre.name,
        names["critical"]: report.critical_notice,
        names["verification"]: report.document.verification_code,
    }
    sections = {names[label.value]: report.text(label) for label in SectionLabel}
    return narrative(report.title, facts, sections, language=report.language)
