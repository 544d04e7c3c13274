"""Codes that are missing, or that the text contradicts."""

import re
from collections.abc import Iterator
from typing import Final

from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    ExamFacts,
    Finding,
    Part,
    Severity,
    Source,
    at,
)
from reading_worklist.reports.checks.lexicon import plain
from reading_worklist.reports.checks.normality import says_normal

_PATTERNS: Final = (
    (
        "bi_rads",
        re.compile(
            r"bi-?rads ?(?:分类|分级|category|类别)? ?[::]? ?(?P<value>[0-6][abc]?)(?![0-9])"
        ),
    ),
    (
        "pi_rads",
        re.compile(
            r"pi-?rads ?(?:评分|v2\.1|v2|score|category)?[ ::]{0,3}(?P<value>[1-5])(?![0-9.])"
        ),
    ),
)
_CLASSES: Final = (
    (
        "normal",
        re.compile(r"正常心电图|(?<!ab)(?<!bnormal )(?<![a-z])normal (?:ecg|electrocardiogram)"),
    ),
    (
        "borderline",
        re.compile(r"大致正常(?:的)?心电图|(?<![a-z])(?:borderline|otherwise normal) ecg"),
    ),
    ("abnormal", re.compile(r"异常心电图|(?<![a-z])abnormal ecg")),
)


def check(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    """Find required codes that nobody gave, and codes that say otherwise than the text."""
    for name in exam.required_codes:
        if not report.codes.get(name):
            yield Finding(Code.MISSING_CODE, Severity.BLOCK, expected=name)
    side, coded_side = exam.examined.laterality, report.codes.get("laterality")
    if side in {"L", "R"} and coded_side not in {None, side}:
        certain = exam.examined.laterality_by is Source.ORDER
        severity = Severity.BLOCK if certain else Severity.WARN
        yield Finding(Code.WRONG_SIDE, severity, expected=side, found=coded_side or "")
    for part, text in report.texts():
        yield from _written(part, text, report)
    result, ecg_class = report.codes.get("result"), report.codes.get("ecg_class")
    normal = says_normal(report.impression)
    if (result == "positive" and normal) or (ecg_class == "abnormal" and normal):
        yield _doubt(report, "normal", result if result == "positive" else "abnormal")
    if ecg_class is not None:
        yield from _ecg_class(report, ecg_class)


def _written(part: Part, text: str, report: CheckedReport) -> Iterator[Finding]:
    """The category in the words and in the code: two that differ cannot both be right."""
    told = plain(text)
    for name, pattern in _PATTERNS:
        coded = report.codes.get(name)
        if not coded:
            continue
        written = [(match.span(), match["value"].upper()) for match in pattern.finditer(told)]
        if not written or any(_agrees(value, coded) for _, value in written):
            continue
        span, value = written[0]
        # Earlier exams have categories of their own.
        certain = part == "impression" and len(written) == 1
        yield at(
            Code.CODE_CONTRADICTS,
            Severity.BLOCK if certain else Severity.WARN,
            part,
            text,
            span,
            expected=coded,
            found=value,
        )


def _agrees(written: str, coded: str) -> bool:
    return written == coded or (written == "4" and coded.startswith("4"))


def _ecg_class(report: CheckedReport, coded: str) -> Iterator[Finding]:
    told = plain(report.impression)
    said = next(
        (
            (name, match)
            for name, pattern in reversed(_CLASSES)
            if (match := pattern.search(told)) is not None
        ),
        None,
    )
    if said is None:
        return
    name, match = said
    if name == coded or {name, coded} <= {"abnormal", "suspicious"}:
        return
    yield at(
        Code.CODE_CONTRADICTS,
        Severity.BLOCK if {name, coded} == {"normal", "abnormal"} else Severity.WARN,
        "impression",
        report.impression,
        match.span(),
        expected=coded,
        found=name,
    )


def _doubt(report: CheckedReport, found: str, coded: str) -> Finding:
    return at(
        Code.CODE_CONTRADICTS,
        Severity.WARN,
        "impression",
        report.impression,
        (0, len(report.impression)),
        expected=coded,
        found=found,
    )
