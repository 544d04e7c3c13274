"""Texts of a report side by side, and recalls, as the API gives them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.reports.comparison import Change
from reading_worklist.reports.states import RecallKind


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


class RecallNotice(BaseModel):
    """A report that one has opened does not stand any more.

    number: of the version that was recalled; replaced_by: of the one that stands in its place.
    """

    id: UUID
    workitem_id: UUID
    number: int
    kind: RecallKind
    reason: str
    recalled_at: datetime
    opened_at: datetime
    replaced_by: int | None
