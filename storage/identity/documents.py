"""Identity documents: what a number says about its holder, and whether that agrees.

The resident identity number 居民身份证号码 (GB 11643-1999) is six digits of a place, the birth
date, three digits of which the last is odd for men, and a check character (ISO 7064 MOD 11-2).
Numbers issued before 1999 have 15 digits: two for the year, no check character.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Self

from storage.identifiers import InvalidIdentifier
from storage.orders.words import DocumentKind

_NEW: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD: Final = re.compile(r"[1-9][0-9]{14}")
_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))
_CHECK: Final = "10X98765432"
_WITHOUT_NUMBER: Final = frozenset({DocumentKind.NEWBORN, DocumentKind.UNKNOWN})
_REMEDY: Final = "Read the document again, or give another kind of document."


class DocumentFlaw(StrEnum):
    """What is wrong with an identity document as it was given."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    MALFORMED = "malformed"
    BIRTH_DATE = "birth_date"
    SEX = "sex"


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A resident identity number of 18 characters and what it says.

    sex: M or F, as in Patient's Sex (0010,0040).
    """

    number: str
    birth_date: date
    sex: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the number in `text`; one of 15 digits is brought to 18.

        Raises:
            InvalidIdentifier: not a number, no such day, or its check character is wrong. The
                number itself is not told.
        """
        number = text.strip().upper().replace(" ", "")
        if _OLD.fullmatch(number):
            body = f"{number[:6]}19{number[6:]}"
            number = body + check_character(body)
        if not _NEW.fullmatch(number):
            raise InvalidIdentifier(
                "the resident identity number is malformed",
                expected="18 characters, the last a digit or X, or 15 digits",
                found=f"{len(number)} characters",
                remedy=_REMEDY,
            )
        if check_character(number[:17]) != number[17]:
            raise InvalidIdentifier(
                "the resident identity number contradicts its check character",
                expected="the check character of GB 11643",
                found="another one",
                remedy=_REMEDY,
            )
        try:
            born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
        except ValueError as error:
            raise InvalidIdentifier(
                "the resident identity number holds a day that does not exist",
                expected="a birth date in its places 7 to 14",
                remedy=_REMEDY,
            ) from error
        return cls(number, born, "M" if int(number[16]) % 2 else "F")


def check_character(body: str) -> str:
    """Return the check character of the first 17 digits (ISO 7064 MOD 11-2)."""
    return _CHECK[
        sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    ]


def normal_number(kind: DocumentKind | None, number: str | None) -> str | None:
    """Return a document's number as it is kept; a resident number of 15 digits as one of 18."""
    if number is None or not number.strip():
        return None
    if kind is DocumentKind.RESIDENT_ID:
        try:
            return ResidentId.parse(number).number
        except InvalidIdentifier:
            return number.strip()
    return number.strip()


def flaw(
    kind: DocumentKind | None,
    number: str | None,
    *,
    sex: str | None,
    birth_date: date | None,
) -> DocumentFlaw | None:
    """Return what is wrong with a document, None when nothing contradicts.

    sex, birth_date: what is said of the patient beside the document; None, and a sex other than M
    and F, contradict nothing.
    """
    given = (number or "").strip()
    if kind is None or kind in _WITHOUT_NUMBER:
        return DocumentFlaw.UNEXPECTED if given else None
    if not given:
        return DocumentFlaw.MISSING
    return _resident_flaw(given, sex, birth_date) if kind is DocumentKind.RESIDENT_ID else None


def _resident_flaw(number: str, sex: str | None, birth_date: date | None) -> DocumentFlaw | None:
    try:
        resident = ResidentId.parse(number)
    except InvalidIdentifier:
        return DocumentFlaw.MALFORMED
    if birth_date is not None and birth_date != resident.birth_date:
        return DocumentFlaw.BIRTH_DATE
    if sex in {"M", "F"} and sex != resident.sex:
        return DocumentFlaw.SEX
    return None
