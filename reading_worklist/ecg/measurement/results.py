"""What a measurement of an ECG says.

Intervals follow the AHA/ACC/HRS recommendations of 2007 and 2009: one global
onset and offset per wave over all leads, on a median beat. Times are seconds
on the record's axis; fiducial points are ms against the median beat's R;
voltages are µV, never rounded here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from storage.ecg.leads import Lead
from storage.ecg.waveform import Microvolts

METHOD: Final = "rdc median beat, spatial velocity"
VERSION: Final = "1.1"


class Unit(StrEnum):
    """The unit of a value, in UCUM."""

    MS = "ms"
    PER_MINUTE = "/min"
    DEGREE = "deg"
    MICROVOLT = "uV"


class NotMeasured(StrEnum):
    """Why a value is missing; the value is the code that a catalogue translates."""

    NO_SIGNAL = "no signal"
    SAMPLING_RATE = "sampling rate outside 100 to 1000 Hz"
    TOO_SHORT = "record too short"
    NO_BEATS = "no beats found"
    TOO_FEW_BEATS = "too few beats of one shape"
    PACED = "paced rhythm"
    NO_P_WAVE = "no P wave found"
    P_UNSURE = "P wave not certain"
    T_UNSURE = "end of T not certain"
    NOISE = "too noisy"
    LEAD_MISSING = "lead missing"
    AMPLITUDE_TOO_SMALL = "wave too small"
    IMPLAUSIBLE = "outside what is plausible"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number with its unit, or the reason why there is none.

    Exactly one of value and reason is given.
    """

    value: float | None
    unit: Unit
    reason: NotMeasured | None = None

    def __post_init__(self) -> None:
        """Refuse a value together with a reason, and neither."""
        if (self.value is None) == (self.reason is None):
            message = "a quantity has either a value or a reason"
            raise ValueError(message)


class BeatClass(StrEnum):
    """What kind of beat it is, by shape and timing; no diagnosis.

    NORMAL is the dominant shape. ECTOPIC differs in shape or comes early.
    PACED follows a pacing spike.
    """

    NORMAL = "normal"
    ECTOPIC = "ectopic"
    PACED = "paced"


@dataclass(frozen=True, slots=True)
class Beat:
    """One ventricular beat.

    r_seconds: the point of largest spatial deflection, on the record's axis.
    onset_seconds, offset_seconds: QRS onset and end of this beat: those of
        the median beat, moved with it for beats of its shape; None for others.
    in_median: whether it is one of those the median beat was made of.
    by_hand: whether a reader added it.
    """

    r_seconds: float
    kind: BeatClass
    onset_seconds: float | None
    offset_seconds: float | None
    in_median: bool
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Fiducials:
    """Global points of the median beat in ms against its R; None where not found."""

    p_onset_ms: float | None = None
    p_offset_ms: float | None = None
    qrs_onset_ms: float | None = None
    qrs_offset_ms: float | None = None
    t_end_ms: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MedianBeat:
    """The median of the beats of the dominant shape.

    microvolts: per lead, the level just before QRS onset being 0; all of one
        length; limb leads that the record lacks are computed from two it has.
    sampling_rate_hz: of these samples, which need not be the record's.
    r_index: the sample of R, ms 0 of the fiducial points.
    beat_count: how many beats it was made of.
    """

    microvolts: Mapping[Lead, Microvolts]
    sampling_rate_hz: float
    r_index: int
    beat_count: int
    fiducials: Fiducials


@dataclass(frozen=True, slots=True)
class Qtc:
    """QT corrected for the rate; each formula named, none chosen for the reader."""

    bazett: Quantity
    fridericia: Quantity
    framingham: Quantity
    hodges: Quantity


@dataclass(frozen=True, slots=True)
class LeadMeasurement:
    """One lead of the median beat, against the level just before QRS onset.

    st_j, st_j60: level at J and 60 ms after it. q, r, s: the largest
    deflections of the QRS complex by the usual names, q and s negative, 0 when
    there is no such wave; r_prime: the second positive one. p, t: the largest
    deflection of the wave, signed.
    """

    st_j: Quantity
    st_j60: Quantity
    p: Quantity
    q: Quantity
    r: Quantity
    s: Quantity
    r_prime: Quantity
    t: Quantity


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch without a ventricular beat: the R that begins it, and its length."""

    start_seconds: float
    duration_ms: float


@dataclass(frozen=True, slots=True)
class RhythmFeatures:
    """Features of the rhythm; none of them is a diagnosis.

    rr_sd, rmssd: variability of the RR intervals between beats that are not
        ectopic.
    irregular: successive RR intervals differ by much and throughout, ectopic
        beats left out unless they leave too few; None when there are too few.
    p_present: whether a P wave precedes the QRS at a constant distance; None
        when noise or the T wave before it leave it open.
    irregular_without_p: irregular and without P, both certain: what atrial
        fibrillation looks like.
    longest_rr: the longest RR between two found beats.
    pauses: those of at least 3 s, by time. A gap in the signal is no pause.
    pacing_spikes: times of spikes, seconds on the record's axis.
    """

    rr_sd: Quantity
    rmssd: Quantity
    longest_rr: Quantity
    slowest_rate: Quantity
    fastest_rate: Quantity
    irregular: bool | None
    p_present: bool | None
    irregular_without_p: bool
    pauses: Sequence[Pause]
    ectopic_count: int
    paced_count: int
    pacing_spikes: Sequence[float]


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a reader set by hand; everything else is measured again from it.

    The five points are ms against the median beat's R, as in Fiducials; None
    leaves the point to the method. no_p says that there is no P wave.
    Beats are given by the time of R in seconds on the record's axis;
    a beat within 100 ms of one in removed_beats is taken out, one of
    reclassified gets the class beside its time.
    """

    p_onset_ms: float | None = None
    p_offset_ms: float | None = None
    qrs_onset_ms: float | None = None
    qrs_offset_ms: float | None = None
    t_end_ms: float | None = None
    no_p: bool = False
    added_beats: Sequence[float] = ()
    removed_beats: Sequence[float] = ()
    reclassified: Sequence[tuple[float, BeatClass]] = ()


NO_CORRECTIONS: Final = Corrections()


class Limit(StrEnum):
    """What limits a measurement; the value is the code that a catalogue translates.

    FIRST_SECONDS: only the first `measured_seconds` of `record_seconds` were measured. ONE_GROUP:
    one of `groups` groups of channels. NO_SPIKES: at `rate_hz` pacing spikes are not looked for;
    that takes `needed_hz`.
    """

    FIRST_SECONDS = "first_seconds"
    ONE_GROUP = "one_group"
    NO_SPIKES = "no_spikes"


@dataclass(frozen=True, slots=True)
class Note:
    """A limit with the numbers that its `Limit` names."""

    code: Limit
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class EcgMeasurement:
    """Everything measured on one record.

    method, version: what measured it.
    corrections: what a reader had set by hand; NO_CORRECTIONS when nothing.
    start_seconds, end_seconds: the stretch that was measured, on the record's
        axis: the whole of a record up to 60 s, else a stretch of it.
    leads: those with a signal that took part, standard order.
    beats: all, by time, also when the median beat could not be made.
    rr_ms: intervals between consecutive beats, in their order; those across a
        gap in the signal are left out.
    heart_rate: from the mean RR of the stretch (AHA: ventricular rate).
    pr: P onset to QRS onset. qt: QRS onset to T end.
    rv5, sv1, sokolow_lyon: R in V5, S in V1 (as a positive number), their sum.
    notes: what limits the measurement.
    """

    method: str
    version: str
    corrections: Corrections
    start_seconds: float
    end_seconds: float
    leads: Sequence[Lead]
    beats: Sequence[Beat]
    median_beat: MedianBeat | None
    rr_ms: Sequence[float]
    heart_rate: Quantity
    p_duration: Quantity
    pr: Quantity
    qrs: Quantity
    qt: Quantity
    qtc: Qtc
    p_axis: Quantity
    qrs_axis: Quantity
    t_axis: Quantity
    rv5: Quantity
    sv1: Quantity
    sokolow_lyon: Quantity
    by_lead: Mapping[Lead, LeadMeasurement]
    rhythm: RhythmFeatures
    notes: Sequence[Note] = field(default=())
