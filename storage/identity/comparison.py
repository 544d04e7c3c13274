"""The header of a study against what was ordered: do both speak of one patient?

What is missing on one side contradicts nothing, with one exception: without a PatientID nothing
says that the study belongs to the patient of the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

from storage.identity.names import names_agree
from storage.index.tables import Patient, Study
from storage.orders.states import ExamState
from storage.orders.tables import Order


class Attribute(StrEnum):
    """What is compared; ORDER is the order itself."""

    PATIENT_ID = "patient_id"
    NAME = "name"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    DOCUMENT = "document"
    ORDER = "order"


class Finding(StrEnum):
    """How two sides do not agree.

    DIFFERENT: both say something else. MISSING: the header lacks it. FLAWED: what was ordered
    contradicts itself. CANCELLED: the order was cancelled. AMBIGUOUS: several orders fit.
    KNOWN_OTHERWISE: the site's patient of this id is known as somebody else.
    """

    DIFFERENT = "different"
    MISSING = "missing"
    FLAWED = "flawed"
    CANCELLED = "cancelled"
    AMBIGUOUS = "ambiguous"
    KNOWN_OTHERWISE = "known_otherwise"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree; for DOCUMENT `expected` names the `DocumentFlaw`."""

    attribute: Attribute
    finding: Finding
    expected: str | None = None
    found: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as `IdentityCase.differences` holds it."""
        return {
            "attribute": self.attribute.value,
            "finding": self.finding.value,
            "expected": self.expected,
            "found": self.found,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Return what `to_json` has written."""
        return cls(
            Attribute(body["attribute"]), Finding(body["finding"]), body["expected"], body["found"]
        )


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as one side describes him; `local_id` None: the side has no id for him."""

    local_id: str | None
    name: str
    sex: str | None
    birth_date: date | None


def in_header(study: Study) -> Person:
    """Return the patient as the study's header describes him."""
    return Person(
        study.header_patient_id,
        study.header_patient_name,
        study.header_patient_sex,
        study.header_patient_birth_date,
    )


def as_ordered(order: Order) -> Person:
    """Return the patient of an order."""
    return Person(
        order.patient_local_id, order.patient_name, order.patient_sex, order.patient_birth_date
    )


def as_known(patient: Patient) -> Person:
    """Return a patient as the index knows him."""
    return Person(patient.local_id, patient.name, patient.sex, patient.birth_date)


def against_order(study: Study, order: Order) -> list[Difference]:
    """Return what speaks against the study being the exam that was ordered; empty: nothing."""
    header, ordered = in_header(study), as_ordered(order)
    differences: list[Difference] = []
    if header.local_id is None:
        differences.append(
            Difference(Attribute.PATIENT_ID, Finding.MISSING, ordered.local_id, None)
        )
    elif header.local_id != ordered.local_id:
        differences.append(
            Difference(Attribute.PATIENT_ID, Finding.DIFFERENT, ordered.local_id, header.local_id)
        )
    differences += _descriptions(ordered, header, Finding.DIFFERENT)
    if order.document_flaw is not None:
        differences.append(Difference(Attribute.DOCUMENT, Finding.FLAWED, order.document_flaw))
    if order.state is ExamState.CANCELLED:
        differences.append(Difference(Attribute.ORDER, Finding.CANCELLED))
    return differences


def against_known(study: Study, patient: Patient) -> list[Difference]:
    """Return what speaks against the study being of the patient its site has under this id.

    Only another name does: it is how a patient id given twice shows.
    """
    known = _descriptions(as_known(patient), in_header(study), Finding.KNOWN_OTHERWISE)
    return known if any(one.attribute is Attribute.NAME for one in known) else []


def _descriptions(expected: Person, found: Person, finding: Finding) -> list[Difference]:
    differences: list[Difference] = []
    if names_agree(expected.name, found.name) is False:
        differences.append(Difference(Attribute.NAME, finding, expected.name, found.name))
    if {expected.sex, found.sex} == {"M", "F"}:
        differences.append(Difference(Attribute.SEX, finding, expected.sex, found.sex))
    if None not in {expected.birth_date, found.birth_date} and (
        expected.birth_date != found.birth_date
    ):
        differences.append(
            Difference(
                Attribute.BIRTH_DATE, finding, str(expected.birth_date), str(found.birth_date)
            )
        )
    return differences
