"""What a document of ours has of the study it joins: patient and study as the study has them.

The report goes back as several objects (a PDF, a structured report); all of them name one patient
in one way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Final, Self

from pydicom.dataset import Dataset

from storage.character_sets import character_set_for
from storage.dicom_header import InstanceHeader
from storage.identity.overlay import Overlay

_SEXES: Final = frozenset({"M", "F", "O"})


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What identifies patient and study, as text; None where the study does not say.

    specific_character_set: (0008,0005) of the study's instances, when it has one value.
    timezone_offset: Timezone Offset From UTC (0008,0201) of the study's instances.
    """

    patient_name: str
    patient_id: str | None
    issuer_of_patient_id: str | None
    patient_birth_date: date | None
    patient_sex: str | None
    study_instance_uid: str
    study_date: date | None
    study_time: time | None
    study_id: str | None
    study_description: str | None
    accession_number: str | None
    referring_physician_name: str | None
    modalities: tuple[str, ...]
    specific_character_set: str | None
    timezone_offset: str | None

    @classmethod
    def of(
        cls, header: InstanceHeader, modalities: tuple[str, ...], overlay: Overlay | None
    ) -> Self:
        """Return the facts of the study that an instance is of.

        overlay: who its patient is by decision, where that is another than its header says.
        """
        facts = cls(
            patient_name=header.patient_name,
            patient_id=header.patient_id,
            issuer_of_patient_id=header.issuer_of_patient_id,
            patient_birth_date=header.patient_birth_date,
            patient_sex=header.patient_sex,
            study_instance_uid=header.study_instance_uid,
            study_date=header.study_date,
            study_time=header.study_time,
            study_id=header.study_id,
            study_description=header.study_description,
            accession_number=header.accession_number,
            referring_physician_name=header.referring_physician_name,
            modalities=modalities,
            specific_character_set=header.specific_character_set,
            timezone_offset=header.timezone_offset_from_utc,
        )
        return facts if overlay is None else facts._as_decided(overlay)

    def _as_decided(self, overlay: Overlay) -> Self:
        said = overlay.attributes
        born = said["PatientBirthDate"]
        is_same = said["PatientID"] == (self.patient_id or "")
        return replace(
            self,
            patient_name=said["PatientName"],
            patient_id=said["PatientID"] or None,
            issuer_of_patient_id=self.issuer_of_patient_id if is_same else None,
            patient_birth_date=date.fromisoformat(born) if born else None,
            patient_sex=said["PatientSex"] or None,
            accession_number=said.get("AccessionNumber", self.accession_number),
        )

    def character_set(self, texts: Iterable[str]) -> str | None:
        """Return the Specific Character Set in which to write these facts and `texts`.

        The one the site's own devices use, when all our text can be written in it: that one its
        receiver is known to read. Otherwise Unicode; None for plain ASCII.
        """
        own = (
            self.patient_name,
            self.patient_id or "",
            self.issuer_of_patient_id or "",
            self.study_id or "",
            self.study_description or "",
            self.accession_number or "",
            self.referring_physician_name or "",
        )
        return character_set_for((*own, *texts), self.specific_character_set or "")


def fill_patient_and_study(instance: Dataset, study: StudyFacts) -> None:
    """Fill Patient (PS3.3 C.7.1.1) and General Study (C.7.2.1) as the study has them."""
    instance.PatientName = study.patient_name
    instance.PatientID = study.patient_id or ""
    if study.issuer_of_patient_id:
        instance.IssuerOfPatientID = study.issuer_of_patient_id
    elif "IssuerOfPatientID" in instance:
        del instance.IssuerOfPatientID
    instance.PatientBirthDate = _date(study.patient_birth_date)
    instance.PatientSex = study.patient_sex if study.patient_sex in _SEXES else ""
    instance.StudyInstanceUID = study.study_instance_uid
    instance.StudyDate = _date(study.study_date)
    instance.StudyTime = study.study_time.strftime("%H%M%S") if study.study_time else ""
    instance.ReferringPhysicianName = study.referring_physician_name or ""
    instance.StudyID = study.study_id or ""
    instance.AccessionNumber = study.accession_number or ""
    if study.study_description:
        instance.StudyDescription = study.study_description


def _date(value: date | None) -> str:
    return value.strftime("%Y%m%d") if value else ""
