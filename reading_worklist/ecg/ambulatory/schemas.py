"""What the routes of long records answer, and what is kept of an overview."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel

LONG_SECONDS: Final = 300.0
"""From this length on a record is looked at by overview and paging."""


class EcgEventView(BaseModel):
    """A mark that the file itself sets, in its own words.

    seconds: record time. until_seconds: its end, null for a point.
    """

    seconds: float
    until_seconds: float | None
    text: str
    code: str


class AmbulatoryView(BaseModel):
    """A long record: what it holds and where the file marks something.

    started_at: by the recorder's clock, null when the file does not say.
    leads: by name, in file order.
    """

    sop_instance_uid: str
    started_at: datetime | None
    duration_seconds: float
    sampling_frequency: float
    leads: list[str]
    events: list[EcgEventView]


class EnvelopeView(BaseModel):
    """The lowest and highest value of a lead in each bin, in µV; null where it has no signal."""

    lead: str
    low: list[int | None]
    high: list[int | None]


class LongRrView(BaseModel):
    """The time between two beats that were found one after the other, the first at `seconds`."""

    seconds: float
    rr_ms: int


class OverviewView(BaseModel):
    """A long record at a glance.

    Beats are found by program and nobody has checked them: noise can add and small complexes can
    hide some. heart_rate: beats a minute in each bin from its median RR; null with fewer than four
    beats or with signal in less than half of the bin. longest_rr: of the whole record, the longest
    first. beats: how many were found. without_signal_seconds: in which no lead had
    one, or too little of it in a bin for beats to be found.
    method: which version found the beats.
    """

    bin_seconds: float
    heart_rate: list[int | None]
    envelopes: list[EnvelopeView]
    longest_rr: list[LongRrView]
    beats: int
    without_signal_seconds: float
    method: str
