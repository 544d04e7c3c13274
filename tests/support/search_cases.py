"""The rules of matching (PS3.4 §C.2.2.2) as cases, for the engine and for each of its faces."""

from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from sqlalchemy.orm import Session

from tests.support.index_rows import add_study


@dataclass(frozen=True)
class Case:
    """What a search with `keys` at `level` finds: values of the attribute `returned`."""

    keys: dict[str, str]
    found: tuple[str, ...]
    level: str = "STUDY"
    returned: str = "StudyInstanceUID"
    fuzzy: bool = False


def fill(session: Session, site_id: UUID) -> None:
    """Write the studies that the cases are about."""
    add_study(
        session,
        site_id,
        uid="1.1",
        patient_id="P1",
        name="Zhang^Wei=张^伟",
        series=[("1.1.1", "CT", ["1.1.1.1", "1.1.1.2"]), ("1.1.2", "SR", ["1.1.2.1"])],
        study_date=date(2026, 11, 1),
        study_time=time(9, 15, 30, 500_000),
        accession_number="A-1",
        study_description="胸部平扫",
        study_id_text="100%",
    )
    add_study(
        session,
        site_id,
        uid="1.2",
        patient_id="P_2%",
        name="O'Neil^Anna^^Dr",
        series=[("1.2.1", "MR", ["1.2.1.1"])],
        study_date=date(2026, 11, 15),
        study_time=None,
        accession_number="a-1",
        study_description="CHEST",
        referring_physician_name="House^Greg",
    )
    add_study(
        session,
        site_id,
        uid="1.3",
        patient_id="P3",
        name="=单^雄信",
        study_date=None,
        study_time=time(23, 59, 59),
        patient_age="045Y",
    )


ALL = ("1.1", "1.2", "1.3")
CASES: tuple[Case, ...] = (
    # Universal matching (C.2.2.2.3).
    Case({}, ALL),
    Case({"PatientID": "", "StudyDate": "", "PatientName": "*"}, ALL),
    # Single value matching (C.2.2.2.1): case counts, but for names.
    Case({"PatientID": "P1"}, ("1.1",)),
    Case({"PatientID": "p1"}, ()),
    Case({"AccessionNumber": "A-1"}, ("1.1",)),
    Case({"StudyID": "100%"}, ("1.1",)),
    Case({"StudyDescription": "胸部平扫"}, ("1.1",)),
    Case({"PatientAge": "045Y"}, ("1.3",)),
    Case({"PatientSex": "F"}, ALL),
    Case({"PatientBirthDate": "19600517"}, ALL),
    Case({"NumberOfStudyRelatedInstances": "3"}, ("1.1",)),
    # List of UIDs (C.2.2.2.2), and of other values.
    Case({"StudyInstanceUID": "1.1\\1.3\\1.2.3.4"}, ("1.1", "1.3")),
    Case({"PatientID": "P1\\P3"}, ("1.1", "1.3")),
    Case({"ModalitiesInStudy": "MR\\SR"}, ("1.1", "1.2")),
    Case({"ModalitiesInStudy": "CT"}, ("1.1",)),
    Case({"ModalitiesInStudy": "XA"}, ()),
    Case({"SOPClassesInStudy": "1.2.840.10008.5.1.4.1.1.2"}, ("1.1", "1.2")),
    Case({"SOPClassesInStudy": "1.2.3"}, ()),
    # Wild card matching (C.2.2.2.4); signs of SQL are none.
    Case({"PatientID": "P?"}, ("1.1", "1.3")),
    Case({"PatientID": "P_*"}, ("1.2",)),
    Case({"PatientID": "*%"}, ("1.2",)),
    Case({"PatientID": "%"}, ()),
    Case({"AccessionNumber": "?-1"}, ("1.1", "1.2")),
    Case({"StudyDescription": "*EST"}, ("1.2",)),
    Case({"ModalitiesInStudy": "?R"}, ("1.1", "1.2")),
    Case({"ReferringPhysicianName": "house*"}, ("1.2",)),
    # Range matching (C.2.2.2.5).
    Case({"StudyDate": "20261101"}, ("1.1",)),
    Case({"StudyDate": "2026.11.15"}, ("1.2",)),
    Case({"StudyDate": "20261101-20261114"}, ("1.1",)),
    Case({"StudyDate": "20261102-"}, ("1.2",)),
    Case({"StudyDate": "-20261115"}, ("1.1", "1.2")),
    Case({"StudyTime": "0915"}, ("1.1",)),
    Case({"StudyTime": "091530.5"}, ("1.1",)),
    Case({"StudyTime": "09-12"}, ("1.1",)),
    Case({"StudyTime": "12-"}, ("1.3",)),
    Case({"StudyDate": "20261101-", "ModalitiesInStudy": "MR"}, ("1.2",)),
    # Names: without case, the whole value or a group.
    Case({"PatientName": "ZHANG^WEI"}, ("1.1",)),
    Case({"PatientName": "zhang*"}, ("1.1",)),
    Case({"PatientName": "zhang^wei=张^伟"}, ("1.1",)),
    Case({"PatientName": "zhang"}, ()),
    Case({"PatientName": "*ang^w*"}, ("1.1",)),
    Case({"PatientName": "?hang*"}, ("1.1",)),
    Case({"PatientName": "o'neil^anna^^dr"}, ("1.2",)),
    Case({"PatientName": "张伟"}, ("1.1",)),
    Case({"PatientName": "张^*"}, ("1.1",)),
    Case({"PatientName": "*伟"}, ("1.1",)),
    Case({"PatientName": "单雄*"}, ("1.3",)),
    Case({"PatientName": "shanxiongxin"}, ()),
    Case({"PatientName": "';--"}, ()),
    # Fuzzy: pinyin with every reading of the family name, initials, given name first.
    Case({"PatientName": "shanxiongxin"}, ("1.3",), fuzzy=True),
    Case({"PatientName": "danxiong*"}, ("1.3",), fuzzy=True),
    Case({"PatientName": "sxx"}, ("1.3",), fuzzy=True),
    Case({"PatientName": "*xiongxin"}, ("1.3",), fuzzy=True),
    Case({"PatientName": "zw"}, ("1.1",), fuzzy=True),
    Case({"PatientName": "wei zhang"}, ("1.1",), fuzzy=True),
    Case({"PatientName": "ONEIL*"}, ("1.2",), fuzzy=True),
    Case({"PatientName": "z?angwei"}, ("1.1",), fuzzy=True),
    # Every level, and keys of the levels above.
    Case({"PatientName": "*"}, ("P1", "P_2%", "P3"), "PATIENT", "PatientID"),
    Case({"PatientID": "P_2%"}, ("P_2%",), "PATIENT", "PatientID"),
    Case({"StudyInstanceUID": "1.1"}, ("1.1.1", "1.1.2"), "SERIES", "SeriesInstanceUID"),
    Case({"StudyInstanceUID": "1.1", "Modality": "SR"}, ("1.1.2",), "SERIES", "SeriesInstanceUID"),
    Case(
        {"StudyInstanceUID": "1.1", "SeriesNumber": "1"}, ("1.1.1",), "SERIES", "SeriesInstanceUID"
    ),
    Case(
        {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "InstanceNumber": "2"},
        ("1.1.1.2",),
        "INSTANCE",
        "SOPInstanceUID",
    ),
    Case(
        {"StudyInstanceUID": "1.1", "SeriesInstanceUID": "1.1.1", "SOPClassUID": "1.2.3"},
        (),
        "INSTANCE",
        "SOPInstanceUID",
    ),
)

REFUSED: tuple[tuple[str, str], ...] = (
    ("StudyDate", "yesterday"),
    ("StudyDate", "20261340"),
    ("StudyDate", "-"),
    ("StudyDate", "20261101-20261130-"),
    ("StudyDate", "２０２６１１２０"),
    ("StudyTime", "2561"),
    ("StudyTime", "101561"),
    ("StudyInstanceUID", "1.2;DROP TABLE study"),
    ("StudyInstanceUID", "1.2,,*"),
    ("StudyInstanceUID", ",".join(["1.2"] * 501)),
    ("SeriesNumber", "one"),
    ("SeriesNumber", "99999999999999999999"),
    ("PatientID", "a\0b"),
    ("PatientID", "\ud800"),
    ("PatientName", "x" * 5000),
)
"""Values that their attributes cannot be matched with."""
