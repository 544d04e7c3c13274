"""Texts of a report side by side, and recalls, as the API gives them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.reports.checks.findings import Code, Finding, Part, Severity
from reading_worklist.reports.codes import OfferedCode
from reading_worklist.reports.comparison import Change
from reading_worklist.reports.document import EcgMeasurement
from reading_worklist.reports.ecg_draft import MEASURES, MeasureName, unit_of
from reading_worklist.reports.states import RecallKind
from reading_worklist.templates.schemas import TemplateView


class SegmentView(BaseModel):
    """A run of text that stayed, went or came."""

    change: Change
    text: str


class FieldDifference(BaseModel):
    """One field of two texts; the segments in reading order."""

    changed: bool
    segments: list[SegmentView]


class TextComparison(BaseModel):
    """What differs between two texts of one report."""

    findings: FieldDifference
    impression: FieldDifference
    advice: FieldDifference
    comparison: FieldDifference


class CheckFinding(BaseModel):
    """What a check found in a report; see `checks.findings.Finding`.

    key: ties a reason to the finding. start, end: in UTF-16 code units of the text of `part`, as
    browsers count. Nobody signs over a `block`; over a `warn` with a reason.
    """

    key: str
    code: Code
    severity: Severity
    part: Part | None
    start: int
    end: int
    excerpt: str
    expected: str
    found: str

    @classmethod
    def of(cls, one: Finding, text: str) -> Self:
        """Return a finding in a text as the API tells it."""
        start = _units(text[: one.start])
        return cls(
            key=one.key,
            code=one.code,
            severity=one.severity,
            part=one.part,
            start=start,
            end=start + _units(text[one.start : one.end]),
            excerpt=one.excerpt,
            expected=one.expected,
            found=one.found,
        )


class CheckResult(BaseModel):
    """What the checks find in the draft, or in what is under review.

    revision: of the draft; None for a submission. answered: keys of findings for which a reason
    was given with the first signature.
    """

    revision: int | None
    findings: list[CheckFinding]
    answered: list[str]


class WritingAids(BaseModel):
    """What a writer is offered for an exam: templates, the best fitting first, and codes."""

    templates: list[TemplateView]
    more_templates: list[TemplateView]
    codes: list[OfferedCode]
    laterality: str


class LastNormal(BaseModel):
    """The text of the doctor's own last normal report of the same kind of exam."""

    findings: str
    impression: str
    advice: str
    signed_at: datetime
    description: str


class EcgValue(BaseModel):
    """One measure of an ECG.

    device: as the recorder printed it. centre: as the centre measured it; null where nobody tried,
    empty where it could not be measured, and then reason says why, see `NotMeasured`.
    """

    name: MeasureName
    unit: str
    device: str | None
    centre: str | None
    reason: str


class EcgValues(BaseModel):
    """What an ECG's report has of measurements, in the order of the paper."""

    values: list[EcgValue]

    @classmethod
    def of(cls, found: Iterable[EcgMeasurement]) -> Self:
        """Return the measures a report names, by device and centre."""
        by_name = {(one.name, one.source): one for one in found}
        values: list[EcgValue] = []
        for name in MEASURES:
            device = by_name.get((name, "device"))
            centre = by_name.get((name, "centre"))
            values.append(
                EcgValue(
                    name=name,
                    unit=unit_of(name),
                    device=device.value if device else None,
                    centre=centre.value if centre else None,
                    reason=centre.reason if centre else "",
                )
            )
        return cls(values=values)


class RecallNotice(BaseModel):
    """A report that one has opened does not stand any more.

    number: of the version that was recalled; replaced_by: of the one that stands in its place.
    opened_at: when it was opened, or got by a machine.
    colleague: who has it and does not answer; None where it is oneself. acknowledgeable: whether
        saying that one knows settles it; what a machine has is settled by its next delivery.
    """

    id: UUID
    workitem_id: UUID
    patient_name: str
    patient_latin_name: str
    number: int
    kind: RecallKind
    reason: str
    recalled_at: datetime
    opened_at: datetime
    replaced_by: int | None
    colleague: str | None
    acknowledgeable: bool


def _units(text: str) -> int:
    return len(text) + sum(ord(character) > _BASIC_PLANE for character in text)


_BASIC_PLANE: Final = 0xFFFF
