"""The figures of a month as the API gives them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel


class Rate(BaseModel):
    """A share; `value` is None where there is nothing it could be a share of."""

    numerator: int
    denominator: int
    value: float | None

    @classmethod
    def of(cls, numerator: int, denominator: int) -> Self:
        """Return the share of `numerator` in `denominator`."""
        return cls(
            numerator=numerator,
            denominator=denominator,
            value=numerator / denominator if denominator else None,
        )


class SegmentView(BaseModel):
    """How long a part of the road took, in seconds; None where no exam has passed it."""

    count: int
    median: float | None
    p90: float | None


class StatisticsRow(BaseModel):
    """The figures of one modality, or of ALL.

    segments: by `statistics.Segment`. in_time: reports issued when they were due, of those that
    were due. retakes: of all sent. unopened: of all reported. critical: acknowledged within ten
    minutes, of those told. chest_pain: ECGs within ten minutes of the first contact.
    grade_a: images that the report grades A, of those it grades.
    """

    modality: str
    sent: int
    reported: int
    segments: dict[str, SegmentView]
    in_time: Rate
    retakes: Rate
    unopened: Rate
    critical: Rate
    chest_pain: Rate
    grade_a: Rate


class MonthView(BaseModel):
    """A month of a site; the first row is ALL. made_at: until when it is true."""

    month: str
    made_at: datetime
    rows: list[StatisticsRow]
