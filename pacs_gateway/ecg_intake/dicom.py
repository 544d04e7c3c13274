"""DICOM ECGs that cannot be filed as they are: our reader's record, and whose it is."""

from datetime import date, datetime
from pathlib import Path
from typing import Final

from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] -- PathLike without its parameter
from pydicom.dataset import Dataset

from pacs_gateway.ecg_intake.contents import EcgContents
from storage.ecg.dicom_reader import read_ecg
from storage.ecg.dicom_values import free_text, text
from storage.ecg.identification import SEXES, EcgAcquisition, EcgPatient

_WANTED: Final = (
    "SpecificCharacterSet",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "AccessionNumber",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "StationName",
    "DeviceSerialNumber",
    "SoftwareVersions",
)
_YEARS: Final = 4


def read_dicom_file(path: Path) -> EcgContents:
    """Read a DICOM ECG waveform file, text decoded by evidence.

    Raises:
        NotAnEcg, EcgBroken, EcgUnsupported, EcgTooLarge: see `storage.ecg.dicom_reader.read_ecg`.
    """
    with path.open("rb") as file:
        record = read_ecg(file)
        file.seek(0)
        dataset = dcmread(file, force=True, specific_tags=list(_WANTED))
    declared = text(dataset, "SpecificCharacterSet")

    def words(keyword: str) -> str:
        return free_text(dataset, keyword, declared)

    sex = text(dataset, "PatientSex")
    return EcgContents(
        record,
        EcgPatient(
            patient_id=words("PatientID"),
            name=words("PatientName"),
            birth_date=_day(text(dataset, "PatientBirthDate")),
            sex=sex if sex in SEXES else "",
            age_years=_years(dataset),
        ),
        EcgAcquisition(
            order_number=words("AccessionNumber"),
            device_serial_number=words("DeviceSerialNumber"),
            software_version=words("SoftwareVersions"),
            institution=words("InstitutionName"),
            department=words("InstitutionalDepartmentName"),
            station=words("StationName"),
        ),
    )


def _day(written: str) -> date | None:
    try:
        return datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return None


def _years(dataset: Dataset) -> int | None:
    age = text(dataset, "PatientAge")
    return int(age[:-1]) if len(age) == _YEARS and age[:-1].isdecimal() and age[-1] == "Y" else None
