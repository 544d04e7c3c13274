"""A workitem as the DICOM JSON of its UPS instance (PS3.4 Table CC.2.5-3, PS3.18 Annex F)."""

from datetime import UTC, date, datetime
from typing import Any, Final, cast

from sqlalchemy import Row

from reading_worklist.ups.states import PRIORITIES, readiness, step_state, step_uid
from reading_worklist.workitems.queries import Line
from reading_worklist.workitems.tables import Lane
from storage.registry import Person

UPS_PUSH: Final = "1.2.840.10008.5.1.4.34.6.1"
_LABELS: Final = {Lane.IMAGING: "IMAGING", Lane.ECG: "ECG"}
_NAME_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")

Dataset = dict[str, dict[str, Any]]


def step_dataset(row: Row[*Line], base_url: str) -> Dataset:
    """Return the attributes of a workitem that others may know; the Transaction UID is none.

    base_url: of the DICOMweb root under which its study is retrieved.
    """
    item, study, patient, site = row[0], row[1], row[2], row[3]
    address = f"{base_url}/studies/{study.study_instance_uid}"
    step = {
        "00080005": _value("CS", "ISO_IR 192"),
        "00080016": _value("UI", UPS_PUSH),
        "00080018": _value("UI", step_uid(item)),
        "00100010": _value("PN", _name(patient.name)),
        "00100020": _value("LO", patient.local_id),
        "00100021": _value("LO", site.code),
        "00100030": _value("DA", _date(patient.birth_date)),
        "00100040": _value("CS", patient.sex),
        "0020000D": _value("UI", study.study_instance_uid),
        "00404005": _value("DT", _moment(item.queued_at)),
        "00404011": _value("DT", _moment(item.due_at)),
        "00404018": _value("SQ", _code("110005", "DCM", "Interpretation")),
        "00404021": _value("SQ", _input(study.study_instance_uid, address)),
        "00404041": _value("CS", readiness(item)),
        "00741000": _value("CS", step_state(item)),
        "00741200": _value("CS", PRIORITIES[item.priority]),
        "00741202": _value("LO", _LABELS[item.lane]),
        "00741204": _value("LO", study.study_description or "/".join(study.modalities)),
        "0040A370": _value(
            "SQ",
            {
                "00080050": _value("SH", study.accession_number),
                "0020000D": _value("UI", study.study_instance_uid),
            },
        ),
    }
    # Outer joins: the statement's type does not know that these may be missing.
    holder, writer = cast("Person | None", row[4]), cast("Person | None", row[5])
    performer = holder or writer
    if performer is not None:
        step["00741216"] = _value(
            "SQ", {"00404035": _value("SQ", {"00404037": _value("PN", _person(performer))})}
        )
    return dict(sorted(step.items()))


def _input(study_instance_uid: str, address: str) -> Dataset:
    return {
        "0040E020": _value("CS", "DICOM"),
        "0020000D": _value("UI", study_instance_uid),
        "0040E025": _value("SQ", {"00081190": _value("UR", address)}),
    }


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    return {
        "00080100": _value("SH", value),
        "00080102": _value("SH", scheme),
        "00080104": _value("LO", meaning),
    }


def _value(vr: str, value: object) -> dict[str, Any]:
    return {"vr": vr} if value is None or value == "" else {"vr": vr, "Value": [value]}


def _name(text: str) -> dict[str, str] | None:
    groups = {
        name: group.strip()
        for name, group in zip(_NAME_GROUPS, text.split("="), strict=False)
        if group.strip()
    }
    return groups or None


def _person(person: Person) -> dict[str, str]:
    return {"Alphabetic": person.display_name}


def _date(day: date | None) -> str | None:
    return f"{day:%Y%m%d}" if day else None


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}+0000"
