"""Modality Worklist as SCP (PS3.4 Annex K): what a device of a site shall examine."""

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, tzinfo
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pacs_gateway.associations.commands import CommandField
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.services.datasets import UnreadableDataset, encode
from pacs_gateway.services.identifiers import Identifier, read_identifier
from pacs_gateway.services.operations import Call, Operation
from pacs_gateway.services.readable_text import Readable, readable_by
from storage.database import Database
from storage.index.search import InvalidKey
from storage.index.search.values import date_range, has_wildcard, listed, time_range, uids
from storage.orders.tables import Order, ScheduledStep
from storage.orders.words import Contrast, Laterality, Priority, PriorityReason, StepStatus
from storage.orders.worklist import StepFilter, scheduled_steps
from storage.person_name import canonical
from storage.registry import Device
from storage.transliteration import with_pinyin

MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
RESULTS_MAX: Final = 1000
_LOOKED_AT: Final = 5000
_STEP: Final = "ScheduledProcedureStepSequence"
_PRIORITIES: Final = {Priority.STAT: "STAT", Priority.URGENT: "HIGH", Priority.ROUTINE: "ROUTINE"}
_STATUSES: Final = {StepStatus.COMPLETED: "SCHEDULED", StepStatus.DISCONTINUED: "SCHEDULED"}
_DATES: Final = frozenset({"PatientBirthDate", "ScheduledProcedureStepStartDate"})
_TIMES: Final = frozenset({"ScheduledProcedureStepStartTime"})
_LOCAL_CODES: Final = "99RDC"
_LATERALITY: Final = "RequestedLateralityCodeSequence"
# PS3.16 CID 244, in SNOMED CT; there is none for an organ without sides.
_LATERALITY_CODES: Final = {
    Laterality.RIGHT: ("24028007", "Right"),
    Laterality.LEFT: ("7771000", "Left"),
    Laterality.BOTH: ("51440002", "Bilateral"),
}
_LATERALITY_MEANINGS: Final = dict(_LATERALITY_CODES.values())
# Both languages: in a character set without Chinese the first half is pinyin, the second a word.
_CONTRASTS: Final = {
    Contrast.ENHANCED: "增强 CONTRAST",
    Contrast.BOTH: "平扫+增强 PLAIN AND CONTRAST",
}
_URGENT_FOR: Final = {
    PriorityReason.CHEST_PAIN: "胸痛 CHEST PAIN",
    PriorityReason.STROKE: "卒中 STROKE",
    PriorityReason.TRAUMA: "创伤 TRAUMA",
    PriorityReason.ACUTE_ABDOMEN: "急腹症 ACUTE ABDOMEN",
    PriorityReason.BREATHING: "呼吸困难 DYSPNOEA",
}
# PS3.3 C.7.3.1: Laterality (0020,0060) knows these two alone.
_SIDES: Final = frozenset({Laterality.RIGHT, Laterality.LEFT})

Values = Mapping[str, str]

_log = logging.getLogger(__name__)


def operations(database: Database, *, time_zone: str) -> tuple[Operation, ...]:
    """Return the C-FIND service over the orders in `database`.

    time_zone: in which devices write and read scheduled times, as the name of an IANA zone.
    """
    worklist = _Worklist(database, ZoneInfo(time_zone))
    return (Operation(CommandField.C_FIND_RQ, frozenset({MODALITY_WORKLIST}), worklist.serve),)


class _Worklist:
    def __init__(self, database: Database, zone: tzinfo) -> None:
        self._database = database
        self._zone = zone

    def serve(self, call: Call) -> Answer:
        """Answer one request: a pending response for each step, then how it ended."""
        syntax = call.exchange.context.transfer_syntax
        try:
            identifier = read_identifier(call.dataset, syntax)
            step_keys = identifier.items.get(_STEP, Identifier())
            wanted = _filter(identifier.values, step_keys.values, self._zone)
            rows, setting = self._rows(call, wanted)
            found = [
                values
                for step, order in rows
                if _matches(
                    identifier.values,
                    step_keys.values,
                    values := _values(step, order, call.caller.calling_ae_title, self._zone),
                    any_station=step.station_ae_title is None,
                )
            ]
        except UnreadableDataset:
            return Answer(Status.CANNOT_UNDERSTAND, "the identifier cannot be read")
        except InvalidKey as error:
            # PS3.4 K.4.1.1.4: the identifier does not match the SOP class.
            return Answer(Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS, error.what)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            _log.error("orders cannot be read", extra={"error": type(error).__name__})
            return Answer(Status.OUT_OF_RESOURCES, "orders cannot be read now, ask again later")
        readable = readable_by(identifier.character_set, setting)
        pending = (
            Status.PENDING_WITHOUT_OPTIONAL_KEYS
            if _unsupported(identifier, step_keys)
            else Status.PENDING
        )
        for order_values, step_values in found[:RESULTS_MAX]:
            if call.exchange.cancelled():
                return Answer(Status.CANCEL)
            response = _response(identifier, step_keys, order_values, step_values, readable)
            call.exchange.respond(Answer(pending, dataset=encode(response, syntax)))
        if len(found) > RESULTS_MAX or len(rows) == _LOOKED_AT:
            return Answer(
                Status.OUT_OF_RESOURCES, f"more than {RESULTS_MAX} steps, narrow the query"
            )
        return SUCCESS

    def _rows(
        self, call: Call, wanted: StepFilter
    ) -> tuple[Sequence[tuple[ScheduledStep, Order]], str | None]:
        """Return the steps, and the character set that the device is registered with."""
        with self._database.transaction() as session:
            rows = scheduled_steps(session, call.caller.site_id, wanted, limit=_LOOKED_AT)
            setting = session.scalar(
                select(Device.worklist_character_set).where(Device.id == call.caller.device_id)
            )
        return rows, setting


def _filter(keys: Values, step_keys: Values, zone: tzinfo) -> StepFilter:
    """Return what the database can narrow; `_matches` decides.

    Raises:
        InvalidKey: a date is none.
    """
    first, last = None, None
    if days := step_keys.get("ScheduledProcedureStepStartDate"):
        low, high = date_range("ScheduledProcedureStepStartDate", days)
        first = datetime.combine(low, time.min, zone).astimezone(UTC) if low else None
        last = datetime.combine(high, time.max, zone).astimezone(UTC) if high else None
    return StepFilter(
        scheduled_from=first,
        scheduled_until=last,
        modalities=_exact(step_keys, "Modality"),
        station_ae_titles=_exact(step_keys, "ScheduledStationAETitle"),
        patient_local_id=_single(keys, "PatientID"),
        accession_number=_single(keys, "AccessionNumber"),
    )


def _exact(keys: Values, keyword: str) -> list[str] | None:
    value = keys.get(keyword, "")
    return listed(keyword, value, "\\") if value and not has_wildcard(value) else None


def _single(keys: Values, keyword: str) -> str | None:
    value = keys.get(keyword, "")
    return value if value and not has_wildcard(value) else None


def _values(
    step: ScheduledStep, order: Order, calling_ae_title: str, zone: tzinfo
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the attributes of an order and of its step by keyword, as text; "" for unknown."""
    local = step.scheduled_at.astimezone(zone)
    born = order.patient_birth_date
    laterality = order.laterality
    side = laterality.value if laterality and laterality in _SIDES else None
    code = _LATERALITY_CODES.get(laterality) if laterality else None
    order_values = {
        "AccessionNumber": order.accession_number,
        "ReferringPhysicianName": with_pinyin(order.requester or ""),
        "PatientName": with_pinyin(order.patient_name),
        "PatientID": order.patient_local_id,
        "IssuerOfPatientID": order.patient_id_issuer,
        "PatientBirthDate": born.strftime("%Y%m%d") if born else None,
        "PatientSex": order.patient_sex,
        "StudyInstanceUID": order.study_instance_uid,
        "RequestingPhysician": with_pinyin(order.requester or ""),
        "RequestedProcedureDescription": order.procedure_description,
        "RequestedProcedureID": order.requested_procedure_id,
        "RequestedProcedurePriority": _PRIORITIES[order.priority],
        "Laterality": side,
        _LATERALITY: code and code[0],
        "ReasonForTheRequestedProcedure": _one_line(_reason(order)),
        "AdmittingDiagnosesDescription": _one_line(order.clinical_diagnosis),
        "AdmissionID": order.visit_number,
        "CurrentPatientLocation": " ".join(filter(None, (order.department, order.bed))),
        "PlacerOrderNumberImagingServiceRequest": order.placer_order_number,
        "FillerOrderNumberImagingServiceRequest": order.filler_order_number,
    }
    step_values = {
        "Modality": step.modality,
        "Laterality": side,
        "ScheduledStationAETitle": step.station_ae_title or calling_ae_title,
        "ScheduledProcedureStepStartDate": f"{local:%Y%m%d}",
        "ScheduledProcedureStepStartTime": f"{local:%H%M%S}",
        "ScheduledProcedureStepDescription": step.description or order.procedure_description,
        "RequestedContrastAgent": _CONTRASTS.get(order.contrast) if order.contrast else None,
        "ScheduledProcedureStepID": step.step_id,
        "ScheduledProcedureStepStatus": _STATUSES.get(step.status, step.status.value),
    }
    if order.procedure_code:
        for values, sequence in (
            (order_values, "RequestedProcedureCodeSequence"),
            (step_values, "ScheduledProtocolCodeSequence"),
        ):
            values[sequence] = order.procedure_code
    return (
        {keyword: value or "" for keyword, value in order_values.items()},
        {keyword: value or "" for keyword, value in step_values.items()},
    )


def _reason(order: Order) -> str:
    """Return why the exam is asked for, and first why it cannot wait: the end may be cut off."""
    urgent = _URGENT_FOR.get(order.priority_reason) if order.priority_reason else None
    return "; ".join(filter(None, (urgent, order.reason)))


def _one_line(text: str | None) -> str:
    """Return text as the VR LO holds it (PS3.5 §6.2)."""
    return " ".join((text or "").replace("\\", " ").split())[:64]


def _matches(
    keys: Values, step_keys: Values, values: tuple[Values, Values], *, any_station: bool
) -> bool:
    for given, found in ((keys, values[0]), (step_keys, values[1])):
        for keyword, wanted in given.items():
            if not wanted or wanted == "*" or keyword not in found:
                continue
            if keyword == "ScheduledStationAETitle" and any_station:
                continue
            if not _key_matches(keyword, wanted, found[keyword]):
                return False
    return True


def _key_matches(keyword: str, wanted: str, found: str) -> bool:
    """Match one key (PS3.4 §C.2.2.2); a key without a value in the order matches nothing."""
    if keyword in _DATES:
        low, high = date_range(keyword, wanted)
        return bool(found) and (
            (low is None or f"{low:%Y%m%d}" <= found)
            and (high is None or found <= f"{high:%Y%m%d}")
        )
    if keyword in _TIMES:
        first, last = time_range(keyword, wanted)
        return (first is None or f"{first:%H%M%S}" <= found) and (
            last is None or found <= f"{last:%H%M%S}"
        )
    vr = dictionary_VR(keyword)
    if vr == "UI":
        return found in uids(keyword, wanted)
    if vr == "PN":
        return _name_matches(wanted, found)
    return any(_pattern(one).match(found) for one in listed(keyword, wanted, "\\"))


def _name_matches(wanted: str, found: str) -> bool:
    """Match a name as a whole or by one of its groups, without regard to case and "^"."""
    wanted = wanted.rstrip("=^ ")
    if not has_wildcard(wanted):
        asked = {canonical(group) for group in wanted.split("=")} - {""}
        return asked <= {canonical(group) for group in found.split("=")}
    candidates = [found, *found.split("=")]
    candidates += [one.replace("^", "") for one in candidates]
    return any(_pattern(wanted.casefold()).match(one.casefold()) for one in candidates)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    # fnmatch knows character classes in brackets, DICOM does not.
    return re.compile(translate(text.replace("[", "[[]")))


def _unsupported(identifier: Identifier, step_keys: Identifier) -> bool:
    """Tell whether a key with a value was not matched on."""
    known = _known()
    return any(
        value and keyword not in known
        for keys in (identifier.values, step_keys.values)
        for keyword, value in keys.items()
    )


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    step = ScheduledStep(
        step_id="", modality="", scheduled_at=datetime.now(UTC), status=StepStatus.SCHEDULED
    )
    order = Order(patient_name="", priority=Priority.ROUTINE)
    order_values, step_values = _values(step, order, "", UTC)
    return frozenset({*order_values, *step_values})


def _response(
    identifier: Identifier,
    step_keys: Identifier,
    order_values: Values,
    step_values: Values,
    readable: Readable,
) -> Dataset:
    """Return what was asked for of one step; all we know of the step where it was not said."""
    response = Dataset()
    for keyword in identifier.values:
        _add(response, keyword, order_values.get(keyword, ""), readable)
    for keyword in identifier.items:
        if keyword != _STEP:
            _add_code(response, keyword, order_values, readable)
    item = Dataset()
    asked = {**step_keys.values, **dict.fromkeys(step_keys.items, "")}
    for keyword in asked or step_values:
        if dictionary_VR(keyword) == "SQ":
            _add_code(item, keyword, step_values, readable)
        else:
            _add(item, keyword, step_values.get(keyword, ""), readable)
    _add_element(response, _STEP, [item])
    if readable.used:
        _add_element(response, "SpecificCharacterSet", list(readable.declared))
    return response


def _add(dataset: Dataset, keyword: str, text: str, readable: Readable) -> None:
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        _add_element(dataset, keyword, [])
        return
    _add_element(dataset, keyword, readable.value(text, vr))


def _add_code(dataset: Dataset, keyword: str, values: Values, readable: Readable) -> None:
    """Add a sequence: a code where there is one for it, else empty."""
    code = values.get(keyword, "")
    if not code:
        _add_element(dataset, keyword, [])
        return
    scheme, meaning = (
        _LOCAL_CODES,
        (
            values.get("RequestedProcedureDescription")
            or values.get("ScheduledProcedureStepDescription")
            or code
        ),
    )
    if keyword == _LATERALITY:
        scheme, meaning = "SCT", _LATERALITY_MEANINGS[code]
    item = Dataset()
    _add(item, "CodeValue", code, readable)
    _add(item, "CodingSchemeDesignator", scheme, readable)
    _add(item, "CodeMeaning", meaning, readable)
    _add_element(dataset, keyword, [item])


def _add_element(dataset: Dataset, keyword: str, value: Any) -> None:  # noqa: ANN401 -- pydicom's
    dataset.add(DataElement(keyword, dictionary_VR(keyword), value))
