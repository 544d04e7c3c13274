"""Our measurement of an ECG for those who look at it: every value, or why there is none."""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from reading_worklist.ecg.measurement.measure import remeasure
from reading_worklist.ecg.measurement.results import (
    NO_CORRECTIONS,
    Beat,
    BeatClass,
    Corrections,
    EcgMeasurement,
    Fiducials,
    LeadMeasurement,
    Limit,
    NotMeasured,
    Quantity,
    Unit,
)
from reading_worklist.ecg.quality.signal import assess, fit_part
from reading_worklist.ecg.serial import Difference, named_values
from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgRecord

_KEPT_MAX: Final = 64
_BEATS_MAX: Final = 500

Milliseconds = Annotated[float, Field(ge=-2000, le=2000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]


class EcgQuantity(BaseModel):
    """A measured number, or the reason why there is none; one of the two."""

    value: float | None
    unit: Unit
    reason: NotMeasured | None


class EcgMeasuredValue(EcgQuantity):
    """A value of the whole ECG; its name is one of the device's names, or sokolow_lyon."""

    name: str


class EcgMeasuredLead(BaseModel):
    """Levels and deflections of one lead in µV, see `LeadMeasurement`."""

    lead: Lead
    st_j: EcgQuantity
    st_j60: EcgQuantity
    p: EcgQuantity
    q: EcgQuantity
    r: EcgQuantity
    s: EcgQuantity
    r_prime: EcgQuantity
    t: EcgQuantity


class EcgMeasuredBeat(BaseModel):
    """One ventricular beat, in seconds on the record's axis."""

    r_seconds: float
    kind: BeatClass
    onset_seconds: float | None
    offset_seconds: float | None
    in_median: bool
    by_hand: bool


class EcgPoints(BaseModel):
    """Points of the median beat in ms against its R; null where not found."""

    p_onset_ms: float | None
    p_offset_ms: float | None
    qrs_onset_ms: float | None
    qrs_offset_ms: float | None
    t_end_ms: float | None


class EcgReclassified(BaseModel):
    """A beat by the time of its R, and the class that a reader gave it."""

    r_seconds: Seconds
    kind: BeatClass


class EcgCorrections(BaseModel):
    """What a reader sets by hand, see `Corrections`; a point that is null is left to the method.

    A name that is none of these is refused: misspelt, it would take a kept correction away.
    """

    model_config = ConfigDict(extra="forbid")

    p_onset_ms: Milliseconds | None = None
    p_offset_ms: Milliseconds | None = None
    qrs_onset_ms: Milliseconds | None = None
    qrs_offset_ms: Milliseconds | None = None
    t_end_ms: Milliseconds | None = None
    no_p: bool = False
    added_beats: Annotated[list[Seconds], Field(max_length=_BEATS_MAX)] = []
    removed_beats: Annotated[list[Seconds], Field(max_length=_BEATS_MAX)] = []
    reclassified: Annotated[list[EcgReclassified], Field(max_length=_BEATS_MAX)] = []

    def corrections(self) -> Corrections:
        """Return them as the method takes them."""
        return Corrections(
            p_onset_ms=self.p_onset_ms,
            p_offset_ms=self.p_offset_ms,
            qrs_onset_ms=self.qrs_onset_ms,
            qrs_offset_ms=self.qrs_offset_ms,
            t_end_ms=self.t_end_ms,
            no_p=self.no_p,
            added_beats=tuple(self.added_beats),
            removed_beats=tuple(self.removed_beats),
            reclassified=tuple((one.r_seconds, one.kind) for one in self.reclassified),
        )

    @classmethod
    def of(cls, corrections: Corrections) -> "EcgCorrections":
        """Return corrections as the API writes them."""
        return cls(
            p_onset_ms=corrections.p_onset_ms,
            p_offset_ms=corrections.p_offset_ms,
            qrs_onset_ms=corrections.qrs_onset_ms,
            qrs_offset_ms=corrections.qrs_offset_ms,
            t_end_ms=corrections.t_end_ms,
            no_p=corrections.no_p,
            added_beats=list(corrections.added_beats),
            removed_beats=list(corrections.removed_beats),
            reclassified=[
                EcgReclassified(r_seconds=at, kind=kind) for at, kind in corrections.reclassified
            ],
        )


_SAID: Final = (
    (
        Limit.FIRST_SECONDS,
        re.compile(r"the first (?P<measured_seconds>\d+) s of (?P<record_seconds>\d+) s "),
    ),
    (Limit.ONE_GROUP, re.compile(r"one of (?P<groups>\d+) groups ")),
    (
        Limit.NO_SPIKES,
        re.compile(r"pacing spikes .* at (?P<rate_hz>[\d.]+) Hz; that takes (?P<needed_hz>[\d.]+)"),
    ),
)
"""The sentences that analyses kept before notes were codes."""


def _coded(note: object) -> object:
    if isinstance(note, str):
        for code, sentence in _SAID:
            if (found := sentence.match(note)) is not None:
                return {"code": code, "numbers": found.groupdict()}
    return note


class EcgMeasuredNote(BaseModel):
    """What limits a measurement, see `Limit`; numbers: by the names that it states."""

    code: Limit
    numbers: dict[str, float]


class EcgMeasured(BaseModel):
    """Our measurement of an ECG.

    method, version: what measured it. values: of the whole ECG, in the order of reading. beats:
        by time. points: of the median beat, null without one; median_beats: how many made it.
    corrections: what was set by hand before; corrected_by, corrected_at: who did, null when
        nothing was, or when it was not kept.
    notes: what limits the measurement.
    """

    method: str
    version: str
    start_seconds: float
    end_seconds: float
    values: list[EcgMeasuredValue]
    leads: list[EcgMeasuredLead]
    beats: list[EcgMeasuredBeat]
    points: EcgPoints | None
    median_beats: int
    corrections: EcgCorrections
    corrected_by: str | None
    corrected_at: datetime | None
    notes: list[Annotated[EcgMeasuredNote, BeforeValidator(_coded)]]


class EcgDifference(BaseModel):
    """One value of both ECGs; change is now less then, null when one was not measured."""

    name: str
    lead: Lead | None
    now: EcgQuantity
    then: EcgQuantity
    change: float | None


class EcgSerial(BaseModel):
    """What has changed since an earlier ECG, both measured by one method and version.

    then_at: when the earlier one was acquired. seconds_between: null when either time is unknown.
    """

    method: str
    version: str
    now_at: datetime | None
    then_at: datetime | None
    seconds_between: float | None
    differences: list[EcgDifference]


class RecentMeasurements:
    """Measurements made last, by record and corrections; bounded, safe between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Corrections], EcgMeasurement] = OrderedDict()
        self._lock = threading.Lock()

    def measured(
        self, key: str, record: EcgRecord, corrections: Corrections = NO_CORRECTIONS
    ) -> EcgMeasurement:
        """Return the measurement of the leads that are fit for it, made now unless it was lately.

        key: names the record, which never changes under it.

        Raises:
            MarkersImpossible: the corrections' points are out of order or beside the beat.
        """
        with self._lock:
            found = self._kept.get((key, corrections))
            if found is not None:
                self._kept.move_to_end((key, corrections))
                return found
        # A lead that has to be recorded again is not measured here either.
        made = remeasure(fit_part(record, assess(record)), corrections)
        with self._lock:
            self._kept[key, corrections] = made
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return made


def measured_view(
    measured: EcgMeasurement, *, by: str | None = None, at: datetime | None = None
) -> EcgMeasured:
    """Return a measurement as the API gives it; by, at: who kept its corrections, and when."""
    beat = measured.median_beat
    return EcgMeasured(
        method=measured.method,
        version=measured.version,
        start_seconds=measured.start_seconds,
        end_seconds=measured.end_seconds,
        values=[
            EcgMeasuredValue(name=name, value=one.value, unit=one.unit, reason=one.reason)
            for name, one in named_values(measured)
        ],
        leads=[_lead(lead, one) for lead, one in measured.by_lead.items()],
        beats=[_beat(one) for one in measured.beats],
        points=None if beat is None else _points(beat.fiducials),
        median_beats=0 if beat is None else beat.beat_count,
        corrections=EcgCorrections.of(measured.corrections),
        corrected_by=by,
        corrected_at=at,
        notes=[EcgMeasuredNote(code=one.code, numbers=dict(one.numbers)) for one in measured.notes],
    )


def difference_views(differences: Sequence[Difference]) -> list[EcgDifference]:
    """Return serial differences as the API gives them."""
    return [
        EcgDifference(
            name=one.name,
            lead=one.lead,
            now=_quantity(one.now),
            then=_quantity(one.then),
            change=one.change,
        )
        for one in differences
    ]


def _quantity(quantity: Quantity) -> EcgQuantity:
    return EcgQuantity(value=quantity.value, unit=quantity.unit, reason=quantity.reason)


def _lead(lead: Lead, measured: LeadMeasurement) -> EcgMeasuredLead:
    return EcgMeasuredLead(
        lead=lead,
        st_j=_quantity(measured.st_j),
        st_j60=_quantity(measured.st_j60),
        p=_quantity(measured.p),
        q=_quantity(measured.q),
        r=_quantity(measured.r),
        s=_quantity(measured.s),
        r_prime=_quantity(measured.r_prime),
        t=_quantity(measured.t),
    )


def _beat(beat: Beat) -> EcgMeasuredBeat:
    return EcgMeasuredBeat(
        r_seconds=beat.r_seconds,
        kind=beat.kind,
        onset_seconds=beat.onset_seconds,
        offset_seconds=beat.offset_seconds,
        in_median=beat.in_median,
        by_hand=beat.by_hand,
    )


def _points(points: Fiducials) -> EcgPoints:
    return EcgPoints(
        p_onset_ms=points.p_onset_ms,
        p_offset_ms=points.p_offset_ms,
        qrs_onset_ms=points.qrs_onset_ms,
        qrs_offset_ms=points.qrs_offset_ms,
        t_end_ms=points.t_end_ms,
    )
