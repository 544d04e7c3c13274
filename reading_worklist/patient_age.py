"""How old a patient is, in the unit that people use for the age."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

_LAST_DAY_OF_NEWBORN: Final = 28
_MONTHS_OF_INFANTS: Final = 24


@dataclass(frozen=True, slots=True)
class Age:
    """An age as people say it: days for the newborn, months for infants, years from two on."""

    value: int
    unit: Literal["Y", "M", "W", "D"]

    def __str__(self) -> str:
        """Write it as a DICOM age string (PS3.5 §6.2 AS), such as "034Y"."""
        return f"{self.value:03d}{self.unit}"

    @classmethod
    def between(cls, birth: date, on: date) -> "Age":
        """Return the age on a day; a birth in the future counts as zero days."""
        days = max((on - birth).days, 0)
        months = max((on.year - birth.year) * 12 + on.month - birth.month - (on.day < birth.day), 0)
        if days <= _LAST_DAY_OF_NEWBORN:
            return cls(days, "D")
        if months < _MONTHS_OF_INFANTS:
            return cls(months, "M")
        return cls(months // 12, "Y")

    @classmethod
    def from_dicom(cls, text: str) -> "Age | None":
        """Read a DICOM age string (PS3.5 §6.2 AS, such as "034Y"); None when it is not one."""
        digits, unit = text.strip()[:-1], text.strip()[-1:].upper()
        if not (digits.isascii() and digits.isdigit() and unit in {"Y", "M", "W", "D"}):
            return None
        return cls(int(digits), cast("Literal['Y', 'M', 'W', 'D']", unit))
