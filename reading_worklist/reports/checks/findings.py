"""What a check finds, and what it is told of the exam."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

Part = Literal["findings", "impression", "advice", "addendum"]
PARTS: Final[tuple[Part, ...]] = ("findings", "impression", "advice", "addendum")

EXCERPT_LENGTH: Final = 60
"""Characters of a text that a finding repeats."""


class Severity(StrEnum):
    """What a finding does: nobody signs over a BLOCK; over a WARN with a reason that is kept."""

    BLOCK = "block"
    WARN = "warn"


class Code(StrEnum):
    """What is wrong; pages have words for each."""

    PLACEHOLDER = "placeholder"
    OPEN_CHOICE = "open-choice"
    MISSING_TEXT = "missing-text"
    MISSING_CODE = "missing-code"
    CODE_CONTRADICTS = "code-contradicts"
    WRONG_NAME = "wrong-name"
    WRONG_SEX = "wrong-sex"
    WRONG_AGE = "wrong-age"
    OTHER_SEX_ORGAN = "other-sex-organ"
    WRONG_ORGAN = "wrong-organ"
    WRONG_SIDE = "wrong-side"
    NUMBER = "number"
    UNIT = "unit"
    ABSENT_NORMAL = "absent-normal"
    SIDE_CONTRADICTS = "side-contradicts"
    POLARITY_CONTRADICTS = "polarity-contradicts"
    NORMAL_CONTRADICTS = "normal-contradicts"
    STATEMENTS_CONTRADICT = "statements-contradict"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a report.

    part: the text it stands in; None where it stands in none, such as a code that is missing.
    start, end: where, in code points of that text. excerpt: the words there.
    expected, found: the facts that disagree, as data of the report or of the exam.
    """

    code: Code
    severity: Severity
    part: Part | None = None
    start: int = 0
    end: int = 0
    excerpt: str = ""
    expected: str = ""
    found: str = ""

    @property
    def key(self) -> str:
        """Return by what a reason given for this finding is tied to it.

        It changes with the words that are found and not with where they stand.
        """
        told = "\x1f".join((self.code, self.part or "", self.excerpt, self.expected, self.found))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Source(StrEnum):
    """Who says what the exam is of.

    HEADER is the device: its operators leave the body part of the exam before, so that what it
    says alone never blocks a signature. ORDER is a person who asked for the exam.
    """

    ORDER = "order"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Examined:
    """Regions and side an exam is of. regions: names of the lexicon; empty when nobody says.

    laterality: DICOM code L, R or B; empty when nobody says.
    """

    regions: frozenset[str] = frozenset()
    regions_by: Source = Source.HEADER
    laterality: str = ""
    laterality_by: Source = Source.HEADER


@dataclass(frozen=True, slots=True)
class ExamFacts:
    """What is known of the patient and the exam without the report.

    names: every way the patient's name is written. sex: DICOM code M, F, O or empty.
    age_years: on the day of the exam; None when the birth date is not known.
    history: what the requester wrote of the patient.
    required_codes: the names of codes that a report of this exam has.
    """

    names: tuple[str, ...] = ()
    sex: str = ""
    age_years: float | None = None
    is_ecg: bool = False
    examined: Examined = Examined()
    history: str = ""
    required_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """The report to be checked; codes by name as `reports.codes.Codes` has them.

    addendum: what is added to a report that stands.
    """

    findings: str = ""
    impression: str = ""
    advice: str = ""
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    addendum: str = ""

    def texts(self) -> Sequence[tuple[Part, str]]:
        """Return the texts with their names, in the order of the paper."""
        return (
            ("findings", self.findings),
            ("impression", self.impression),
            ("advice", self.advice),
            ("addendum", self.addendum),
        )


def at(
    code: Code,
    severity: Severity,
    part: Part,
    text: str,
    span: tuple[int, int],
    *,
    expected: str = "",
    found: str = "",
) -> Finding:
    """Return a finding about `text[start:end]`."""
    start, end = span
    excerpt = " ".join(text[start : min(end, start + EXCERPT_LENGTH)].split())
    return Finding(code, severity, part, start, end, excerpt, expected, found)
