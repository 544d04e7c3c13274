"""What the doctor found: one line each, and how it is told."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How bad it is.

    FAULT keeps patients' images or reports from getting on, or will any moment; WARNING will one
    day; FINE was looked at.
    """

    FAULT = "fault"
    WARNING = "warning"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    subject: what was looked at. what: what was found. remedy: what a person does about it.
    """

    severity: Severity
    subject: str
    what: str
    remedy: str = ""


def fine(subject: str, what: str) -> Finding:
    """Return that all is well with `subject`."""
    return Finding(Severity.FINE, subject, what)


def warning(subject: str, what: str, remedy: str) -> Finding:
    """Return what is not urgent."""
    return Finding(Severity.WARNING, subject, what, remedy)


def fault(subject: str, what: str, remedy: str) -> Finding:
    """Return what has to be mended now."""
    return Finding(Severity.FAULT, subject, what, remedy)


_MARKS: Final = {Severity.FAULT: "FAULT  ", Severity.WARNING: "warning", Severity.FINE: "fine   "}


def to_text(findings: Sequence[Finding], *, with_fine: bool = False) -> str:
    """Return the findings for a terminal, the worst first, and how many there are of each.

    with_fine: name also what is well.
    """
    order = list(Severity)
    lines: list[str] = []
    for one in sorted(findings, key=lambda finding: order.index(finding.severity)):
        if one.severity is Severity.FINE and not with_fine:
            continue
        lines.append(f"{_MARKS[one.severity]}  {one.subject}: {one.what}")
        if one.remedy:
            lines.append(f"         → {one.remedy}")
    counts = [
        f"{sum(one.severity is severity for one in findings)} {words}"
        for severity, words in (
            (Severity.FAULT, "faults"),
            (Severity.WARNING, "warnings"),
            (Severity.FINE, "things are fine"),
        )
    ]
    return "\n".join([*lines, *([""] if lines else []), ", ".join(counts)])


def to_json(findings: Sequence[Finding]) -> str:
    """Return the findings as one JSON object."""
    return json.dumps(
        {
            "healthy": all(one.severity is not Severity.FAULT for one in findings),
            "findings": [asdict(one) for one in findings],
        },
        ensure_ascii=False,
        indent=2,
    )
