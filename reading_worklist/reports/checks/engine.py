"""Every check over one report."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from reading_worklist.reports.checks import (
    anatomy,
    coding,
    contradictions,
    leftovers,
    numbers,
    patient,
    statements,
)
from reading_worklist.reports.checks.findings import (
    PARTS,
    CheckedReport,
    Code,
    ExamFacts,
    Finding,
    Severity,
)

FINDINGS_MAX: Final = 60
"""A report with more findings than that is not mended one by one."""


def check(report: CheckedReport, exam: ExamFacts) -> tuple[Finding, ...]:
    """Return what is wrong with a report: what blocks first, then in the order of the text.

    Takes time linear in the length of the texts, and raises nothing whatever they hold.
    """
    found: dict[str, Finding] = {}
    for one in islice(_all(report, exam), FINDINGS_MAX):
        found.setdefault(one.key, one)
    return tuple(sorted(found.values(), key=_place))


def _all(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    if not report.impression.strip():
        yield Finding(Code.MISSING_TEXT, Severity.BLOCK, "impression")
    if not report.findings.strip() and not exam.is_ecg:
        yield Finding(Code.MISSING_TEXT, Severity.BLOCK, "findings")
    yield from coding.check(report, exam)
    yield from patient.check(report, exam)
    yield from anatomy.check(report, exam)
    yield from contradictions.check(report)
    yield from statements.check(report, exam)
    yield from numbers.check(report, exam)
    yield from leftovers.check(report)


def _place(one: Finding) -> tuple[bool, int, int]:
    return (
        one.severity is not Severity.BLOCK,
        PARTS.index(one.part) if one.part else -1,
        one.start,
    )
