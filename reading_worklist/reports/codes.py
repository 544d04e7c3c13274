"""Structured codes of a report: what statistics count and other systems read beside the words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

from reading_worklist.ecg.statements.library import EcgClass

PiRads = Literal["1", "2", "3", "4", "5"]
BiRads = Literal["0", "1", "2", "3", "4A", "4B", "4C", "5", "6"]
Side = Literal["L", "R", "B"]
Result = Literal["positive", "negative"]
ImageGrade = Literal["A", "B", "C", "D"]
CodeName = Literal["ecg_class", "bi_rads", "pi_rads", "laterality", "result", "image_grade"]


class Codes(BaseModel):
    """The codes of one report; None is not given.

    pi_rads: PI-RADS v2.1 category of the examination. bi_rads: final assessment category of the ACR
    BI-RADS Atlas, the gravest of both breasts. laterality: DICOM code. result: whether something
    is wrong, for the positive rate. image_grade: quality of the images, A is best. ecg_class:
    正常, 大致正常, 可疑, 不正常.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ecg_class: EcgClass | None = None
    bi_rads: BiRads | None = None
    pi_rads: PiRads | None = None
    laterality: Side | None = None
    result: Result | None = None
    image_grade: ImageGrade | None = None

    def given(self) -> dict[str, str]:
        """Return those that are given, by name."""
        return self.model_dump(exclude_none=True)


_VALUES: Final[Mapping[CodeName, tuple[str, ...]]] = {
    "ecg_class": get_args(EcgClass),
    "bi_rads": get_args(BiRads),
    "pi_rads": get_args(PiRads),
    "laterality": get_args(Side),
    "result": get_args(Result),
    "image_grade": get_args(ImageGrade),
}


class OfferedCode(BaseModel):
    """A code that a report of an exam may have, or must have; values in their order."""

    name: CodeName
    values: list[str]
    required: bool


@dataclass(frozen=True, slots=True)
class ExamKind:
    """What decides which codes a report has. regions: names of the checks' lexicon."""

    modalities: frozenset[str]
    regions: frozenset[str]
    is_ecg: bool = False
    of_prostate: bool = False


def offered(kind: ExamKind, more: frozenset[str] = frozenset()) -> list[OfferedCode]:
    """Return the codes of a report of this kind, those that are required first.

    more: names that a template requires. BI-RADS of every mammography and PI-RADS of every MR of
    the prostate are national quality indicators (2024), and an ECG has its class.
    """
    breast = "breast" in kind.regions
    required: dict[CodeName, bool] = {}
    if kind.is_ecg:
        required["ecg_class"] = True
    if "MG" in kind.modalities or breast:
        required["bi_rads"] = "MG" in kind.modalities
    if kind.of_prostate and "MR" in kind.modalities:
        required["pi_rads"] = True
    if not kind.is_ecg:
        required["laterality"] = False
    required["result"] = False
    required["image_grade"] = False
    for name in get_args(CodeName):
        if name in more:
            required[name] = True
    found = [
        OfferedCode(name=name, values=list(_VALUES[name]), required=needed)
        for name, needed in required.items()
    ]
    return sorted(found, key=lambda one: not one.required)
