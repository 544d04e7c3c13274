"""No signature over a report that the checks stop, and none over a warning without a reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.reports.checks.engine import check
from reading_worklist.reports.checks.findings import CheckedReport, Finding, Severity
from reading_worklist.reports.exam_facts import KnownExam
from reading_worklist.reports.schemas import CheckFinding
from reading_worklist.reports.tables import ReportDraft, ReportOverride, ReportSubmission
from storage.clock import utc_now

REASON_LENGTH_MIN: Final = 2
Reasons = Mapping[str, str]
"""Why somebody signs all the same, by the key of each finding."""
NO_REASONS: Final[Reasons] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Overridden:
    """A warning over which somebody signs, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A report and what the checks found in it."""

    report: CheckedReport
    found: tuple[Finding, ...]

    def views(self) -> list[CheckFinding]:
        """Return the findings as the API tells them."""
        texts = dict(self.report.texts())
        return [CheckFinding.of(one, texts[one.part] if one.part else "") for one in self.found]


def checked(row: ReportDraft | ReportSubmission, exam: KnownExam) -> Checked:
    """Return a draft or a submission with what the checks find in it, as the exam is known now."""
    report = CheckedReport(row.findings, row.impression, row.advice, row.codes, row.addendum)
    return Checked(report, check(report, exam.facts))


def pass_or_refuse(
    findings: Checked, reasons: Reasons, *, known: frozenset[str] = frozenset()
) -> tuple[Overridden, ...]:
    """Return the warnings over which is signed now, with the reasons.

    known: keys of findings for which a reason was given with an earlier signature.

    Raises:
        Problem: 422 with every finding, when one blocks or one has no reason.
    """
    stopped = any(one.severity is Severity.BLOCK for one in findings.found)
    open_ones = [one for one in findings.found if one.key not in known]
    given = {key: reason.strip() for key, reason in reasons.items()}
    unanswered = [one for one in open_ones if len(given.get(one.key, "")) < REASON_LENGTH_MIN]
    if stopped or unanswered:
        members: dict[str, Any] = {
            "findings": [one.model_dump(mode="json") for one in findings.views()]
        }
        raise Problem(
            422,
            "report-checks",
            "The report contradicts itself or its exam",
            expected="a report without what blocks, and a reason for each warning",
            found=", ".join(sorted({f"{one.severity}: {one.code}" for one in findings.found})),
            remedy="Correct the places that are named, or give a reason where that is possible.",
            members=members,
        )
    return tuple(Overridden(one, given[one.key]) for one in open_ones)


def keep(
    session: Session, scope: Scope, submission: ReportSubmission, overridden: tuple[Overridden, ...]
) -> None:
    """Keep beside a submission over what was signed, by whom and why."""
    for one in overridden:
        session.add(
            ReportOverride(
                submission_id=submission.id,
                key=one.finding.key,
                code=one.finding.code,
                part=one.finding.part,
                excerpt=one.finding.excerpt,
                reason=one.reason,
                person_id=scope.person_id,
                overridden_at=utc_now(),
            )
        )


def known_keys(session: Session, submission_id: UUID) -> frozenset[str]:
    """Return the keys of the findings over which a submission was signed already."""
    return frozenset(
        session.scalars(
            select(ReportOverride.key).where(ReportOverride.submission_id == submission_id)
        )
    )
