"""Patient, organisations and doctors of an issued report as R4 resources."""

from typing import Final

from storage.fhir.elements import (
    Element,
    concept,
    day,
    element,
    identifier,
    present,
    reference,
    resource,
    uid_identifier,
)
from storage.fhir.identities import Ids, Systems, resource_id
from storage.issued_reports.model import IssuedOrganisation, IssuedReport, IssuedSigner

_GENDERS: Final = {"M": "male", "F": "female", "O": "other"}
# Which way a name is written (R4 "iso21090-EN-representation"): ideographic, or in Latin letters.
_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def patient(report: IssuedReport, ids: Ids, systems: Systems) -> Element:
    """Return the patient as decided when the report was signed."""
    who = report.patient
    numbers = identifier(systems.patient, who.local_id, type_code="MR", use="usual")
    if numbers is None:
        # Somebody without a number is found again by the study that brought him.
        numbers = {"use": "temp", **uid_identifier(report.exam.study_instance_uid)}
    else:
        numbers["assigner"] = {"display": who.issuer or report.site.name}
    return resource(
        "Patient",
        ids.patient,
        identifier=[numbers],
        active=True,
        name=present([_name(who.name, "IDE"), _name(who.pinyin, "ABC")]),
        gender=_GENDERS.get(who.sex, "unknown"),
        birthDate=day(who.birth_date),
        managingOrganization=reference("Organization", ids.site, report.site.name),
    )


def organisation(of: IssuedOrganisation, systems: Systems) -> Element:
    """Return the site or the centre."""
    return resource(
        "Organization",
        resource_id("Organization", of.id),
        identifier=present([identifier(systems.organisation, f"urn:uuid:{of.id}", use="official")]),
        active=True,
        name=of.name or of.name_en or of.code,
        alias=[one for one in (of.name_en, of.code) if one and one != of.name],
    )


def practitioner(signer: IssuedSigner, systems: Systems) -> Element:
    """Return a doctor who signed."""
    return resource(
        "Practitioner",
        resource_id("Practitioner", signer.person_id),
        identifier=present(
            [identifier(systems.person, f"urn:uuid:{signer.person_id}", use="official")]
        ),
        active=True,
        name=[{"text": signer.name}],
    )


def practitioner_role(signer: IssuedSigner, systems: Systems) -> Element:
    """Return as what a doctor signed: for which organisation, with which title."""
    key = f"{signer.person_id}/{signer.organisation.id}"
    title = concept(text=signer.title)
    return resource(
        "PractitionerRole",
        resource_id("PractitionerRole", key),
        identifier=[element(system=systems.person, value=f"urn:uuid:{resource_id('role', key)}")],
        active=True,
        practitioner=reference(
            "Practitioner", resource_id("Practitioner", signer.person_id), signer.name
        ),
        organization=reference(
            "Organization",
            resource_id("Organization", signer.organisation.id),
            signer.organisation.name,
        ),
        code=present([title]),
    )


def signers(report: IssuedReport) -> list[IssuedSigner]:
    """Return who signed, the writer first, nobody twice."""
    found = {one.person_id: one for one in (report.writer, report.reviewer) if one is not None}
    return list(found.values())


def _name(text: str, representation: str) -> Element | None:
    if not text:
        return None
    use = "official" if representation == "IDE" else "usual"
    return {
        "extension": [{"url": _REPRESENTATION, "valueCode": representation}],
        "use": use,
        "text": text,
    }
