"""Statements of the ECG library that cannot both be true, or that the class contradicts."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from reading_worklist.ecg.statements.library import CLASSES, Said, library, worst
from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    ExamFacts,
    Finding,
    Severity,
    at,
)

_SHOWN_MAX: Final = 10
_NORMAL: Final = "normal_ecg"
_OVERALL: Final = "overall"


def check(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    """Find statements of an ECG's impression that contradict each other, or its class."""
    if not exam.is_ecg:
        return
    text = report.impression
    said = library().said(text)
    yield from _pairs(text, said)
    yield from _normal(text, said)
    yield from _class(report, said)


def _pairs(text: str, said: Sequence[Said]) -> Iterator[Finding]:
    shown = 0
    for first, second in combinations(said, 2):
        pair = frozenset((first.statement.id, second.statement.id))
        stops = library().excluding.get(pair)
        if stops is None:
            continue
        yield at(
            Code.STATEMENTS_CONTRADICT,
            Severity.BLOCK if stops else Severity.WARN,
            "impression",
            text,
            (second.start, second.end),
            expected=text[first.start : first.end],
            found=text[second.start : second.end],
        )
        shown += 1
        if shown == _SHOWN_MAX:
            return


def _normal(text: str, said: Sequence[Said]) -> Iterator[Finding]:
    """A normal ECG, and something that no normal ECG has."""
    normal = next((one for one in said if one.statement.id == _NORMAL), None)
    other = next(
        (
            one
            for one in said
            if one.statement.group != _OVERALL
            and one.statement.ecg_class in {"suspicious", "abnormal"}
        ),
        None,
    )
    if normal is not None and other is not None:
        yield at(
            Code.STATEMENTS_CONTRADICT,
            Severity.BLOCK,
            "impression",
            text,
            (normal.start, normal.end),
            expected=text[other.start : other.end],
            found=text[normal.start : normal.end],
        )


def _class(report: CheckedReport, said: Sequence[Said]) -> Iterator[Finding]:
    """A class nearer to normal than a statement allows: the doctor decides, and says why."""
    coded = report.codes.get("ecg_class")
    # What the words say of the class as a whole is `coding`'s.
    implied = worst([one.statement.ecg_class for one in said if one.statement.group != _OVERALL])
    if coded not in CLASSES or implied is None or CLASSES.index(coded) >= CLASSES.index(implied):
        return
    one = next(each for each in said if each.statement.ecg_class == implied)
    yield at(
        Code.CODE_CONTRADICTS,
        Severity.WARN,
        "impression",
        report.impression,
        (one.start, one.end),
        expected=coded,
        found=implied,
    )
