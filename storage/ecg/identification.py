"""Whose ECG it is and where it was taken, as a device's file states it.

The record model holds signals and the device's findings; this is the rest of
a file's header, in one form for every format.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Self

SEXES: Final = frozenset({"M", "F", "O"})


@dataclass(frozen=True, slots=True)
class EcgPatient:
    """The patient as the file names them; empty text and None where it says nothing.

    patient_id: the local id at the site.
    name: a value of the VR PN (PS3.5 §6.2), Hanzi as they are written.
    sex: ``M``, ``F``, ``O`` or empty.
    age_years: whole years, for files that state an age; a birth date comes before it.
    """

    patient_id: str = ""
    name: str = ""
    birth_date: date | None = None
    sex: str = ""
    age_years: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether the file tells one patient of a site from another."""
        return bool(self.patient_id)

    def as_words(self) -> dict[str, Any]:
        """Return the patient as JSON keeps it."""
        born = None if self.birth_date is None else self.birth_date.isoformat()
        return asdict(self) | {"birth_date": born}

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """Return the patient that `as_words` gave."""
        born = words["birth_date"]
        return cls(
            words["patient_id"],
            words["name"],
            None if born is None else date.fromisoformat(born),
            words["sex"],
            words["age_years"],
        )


@dataclass(frozen=True, slots=True)
class EcgAcquisition:
    """Where and with what the ECG was taken, as the file says; empty where it does not.

    order_number: what the site's order system calls the exam (Accession Number).
    """

    order_number: str = ""
    device_serial_number: str = ""
    software_version: str = ""
    institution: str = ""
    department: str = ""
    station: str = ""
    operator: str = ""
    referring_physician: str = ""
    reason: str = ""
