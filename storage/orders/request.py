"""What somebody orders: checked when it is made, whichever way it came."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from storage.clock import utc_now
from storage.errors import RdcError
from storage.identifiers import AeTitle, InvalidIdentifier, Uid
from storage.orders.words import (
    Contrast,
    DocumentKind,
    Laterality,
    OrderSource,
    Priority,
    PriorityReason,
    VisitType,
)

SHORT_STRING: Final = 16
"""Longest value of the VR SH and CS, characters (PS3.5 §6.2)."""
LONG_STRING: Final = 64
_PERSON_NAME: Final = 3 * 64 + 2
_MODALITY: Final = re.compile(r"[A-Z0-9_]{1,16}")
_SEXES: Final = frozenset({"M", "F", "O"})
_STEPS_MAX: Final = 20
_TEXT_MAX: Final = 4000
_CLOCKS_APART: Final = timedelta(minutes=5)
_EARLIEST_DAY: Final = timedelta(hours=14)
"""By how much a machine at a site may be ahead of the server."""


class OrderRefused(RdcError):
    """An order that cannot be taken, changed or cancelled.

    field: which value of the request is meant, as `OrderRequest` names it; empty when the order as
        a whole is.
    duplicate: another order has the value already.
    """

    def __init__(
        self,
        what: str,
        *,
        field: str = "",
        duplicate: bool = False,
        expected: str = "",
        found: str = "",
        remedy: str = "",
    ) -> None:
        self.field = field
        self.duplicate = duplicate
        super().__init__(what, expected=expected, found=found, remedy=remedy)


@dataclass(frozen=True, slots=True)
class StepRequest:
    """One step to be scheduled; without a time it is due now, without a station any may do it."""

    modality: str
    scheduled_at: datetime | None = None
    station_ae_title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One exam as somebody orders it; see `tables.Order` for what the fields mean.

    accession_number, study_instance_uid: None lets us assign one.
    """

    site_id: UUID
    source: OrderSource
    patient_local_id: str
    patient_name: str
    steps: Sequence[StepRequest]
    patient_id_issuer: str | None = None
    patient_sex: str | None = None
    patient_birth_date: date | None = None
    document_kind: DocumentKind | None = None
    document_number: str | None = None
    visit_type: VisitType = VisitType.OTHER
    visit_number: str | None = None
    department: str | None = None
    bed: str | None = None
    requester: str | None = None
    clinical_diagnosis: str | None = None
    reason: str | None = None
    priority: Priority = Priority.ROUTINE
    procedure_code: str | None = None
    procedure_description: str | None = None
    body_part: str | None = None
    laterality: Laterality | None = None
    contrast: Contrast | None = None
    priority_reason: PriorityReason | None = None
    first_contact_at: datetime | None = None
    accession_number: str | None = None
    placer_order_number: str | None = None
    filler_order_number: str | None = None
    study_instance_uid: str | None = None


_LENGTHS: Final = {
    "patient_local_id": LONG_STRING,
    "patient_name": _PERSON_NAME,
    "patient_id_issuer": LONG_STRING,
    "document_number": LONG_STRING,
    "visit_number": LONG_STRING,
    "department": LONG_STRING,
    "bed": LONG_STRING,
    "requester": _PERSON_NAME,
    "clinical_diagnosis": _TEXT_MAX,
    "reason": _TEXT_MAX,
    "procedure_code": SHORT_STRING,
    "procedure_description": LONG_STRING,
    "body_part": LONG_STRING,
    "accession_number": SHORT_STRING,
    "placer_order_number": LONG_STRING,
    "filler_order_number": LONG_STRING,
}
_ONE_LINE: Final = frozenset(_LENGTHS) - {"clinical_diagnosis", "reason"}


def check(request: OrderRequest) -> None:
    """Pass when every value is one that a modality and a report can carry.

    Raises:
        OrderRefused: naming the first field that is not; never its value where it tells of the
            patient.
    """
    for name, longest in _LENGTHS.items():
        value: str | None = getattr(request, name)
        if value is not None:
            _check_text(name, value, longest)
    for name in ("patient_local_id", "patient_name"):
        if not str(getattr(request, name)).strip(" ^="):
            raise OrderRefused(
                f"{name} is missing",
                field=name,
                expected="a value",
                found="nothing",
                remedy="An exam is ordered for a patient with an id of the site and a name.",
            )
    if request.patient_sex is not None and request.patient_sex not in _SEXES:
        raise OrderRefused(
            "patient_sex is unknown", field="patient_sex", expected="M, F or O", found="another"
        )
    born = request.patient_birth_date
    # The day begins 14 hours before UTC's in the easternmost zone: a newborn has a birthday too.
    if born is not None and born > (utc_now() + _EARLIEST_DAY).date():
        raise OrderRefused(
            "patient_birth_date lies ahead", field="patient_birth_date", expected="a past day"
        )
    _check_first_contact(request)
    if request.study_instance_uid is not None:
        try:
            Uid.parse(request.study_instance_uid, what="study_instance_uid")
        except InvalidIdentifier as error:
            raise _as_refusal(error, "study_instance_uid") from error
    _check_steps(request.steps)


def _check_first_contact(request: OrderRequest) -> None:
    at = request.first_contact_at
    if at is None:
        return
    if request.priority_reason is not PriorityReason.CHEST_PAIN:
        raise OrderRefused(
            "first_contact_at is for chest pain alone",
            field="first_contact_at",
            expected="priority_reason chest_pain",
            found="none" if request.priority_reason is None else request.priority_reason.value,
        )
    if at > utc_now() + _CLOCKS_APART:
        raise OrderRefused(
            "first_contact_at lies ahead", field="first_contact_at", expected="a past time"
        )


def _check_text(name: str, value: str, longest: int) -> None:
    if len(value) > longest:
        raise OrderRefused(
            f"{name} is too long",
            field=name,
            expected=f"at most {longest} characters",
            found=f"{len(value)}",
        )
    if "\\" in value and name in _ONE_LINE:
        raise OrderRefused(
            f"{name} holds a backslash",
            field=name,
            expected="text without a backslash, which separates values in DICOM",
        )
    if any(ord(c) < ord(" ") and (name in _ONE_LINE or c not in "\t\r\n") for c in value):
        raise OrderRefused(
            f"{name} holds a control character", field=name, expected="printable text"
        )


def _check_steps(steps: Sequence[StepRequest]) -> None:
    if not 1 <= len(steps) <= _STEPS_MAX:
        raise OrderRefused(
            "an order has scheduled steps",
            field="steps",
            expected=f"1 to {_STEPS_MAX}",
            found=str(len(steps)),
        )
    for step in steps:
        if not _MODALITY.fullmatch(step.modality):
            raise OrderRefused(
                "modality is not a DICOM modality",
                field="modality",
                expected="a code such as CT, MR, DX, US or ECG",
                found=repr(step.modality[:SHORT_STRING]),
            )
        if step.description is not None:
            _check_text("procedure_description", step.description, LONG_STRING)
        if step.station_ae_title is not None:
            try:
                AeTitle.parse(step.station_ae_title, what="station_ae_title")
            except InvalidIdentifier as error:
                raise _as_refusal(error, "station_ae_title") from error


def _as_refusal(error: InvalidIdentifier, field: str) -> OrderRefused:
    return OrderRefused(
        error.what, field=field, expected=error.expected, found=error.found, remedy=error.remedy
    )
