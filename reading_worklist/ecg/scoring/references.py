"""What the annotators of a database marked, as intervals of a record and times of its beats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from reading_worklist.ecg.scoring.wfdb_files import Mark, read_marks

_BEAT, _P, _T, _OPEN, _CLOSE = 1, 24, 27, 39, 40
_WAVES: Final = {_BEAT: "QRS", _P: "P", _T: "T"}
_SAME_BEAT_SECONDS: Final = 0.15
# LUDB marks every lead in a file of its own; QTDB both leads in one, by two cardiologists.
_ANNOTATORS: Final = (
    *("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"),
    *("q1c", "q2c"),
)


@dataclass(frozen=True, slots=True)
class Wave:
    """A marked wave: its kind, onset (None where not marked), peak and end in samples."""

    kind: str
    onset: int | None
    peak: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A record as its annotators see it.

    beats: times of R in seconds, where at least half of the annotators mark one.
    intervals: PR, QRS and QT in ms: per annotator the median of its beats,
        then the median of the annotators; absent where fewer than half of
        those that mark beats mark the wave.
    first_seconds, last_seconds: the stretch that was annotated at all; LUDB
        leaves out the first and the last beats of a record.
    """

    beats: Sequence[float]
    intervals: Mapping[str, float]
    first_seconds: float
    last_seconds: float

    def within(self, start: float, stop: float) -> "Reference":
        """Return the beats of a stretch, its start being time 0; the intervals stay."""
        beats = [time - start for time in self.beats if start <= time < stop]
        return Reference(
            beats,
            self.intervals,
            max(0.0, self.first_seconds - start),
            min(self.last_seconds, stop) - start,
        )


def read_reference(header: Path, rate_hz: float) -> Reference | None:
    """Return the reference beside a header; None when nobody annotated it by hand."""
    files = [path for name in _ANNOTATORS if (path := header.with_suffix(f".{name}")).exists()]
    annotated = [waves_of(read_marks(path)) for path in files]
    leads = [waves for waves in annotated if any(wave.kind == "QRS" for wave in waves)]
    if not leads:
        return None
    beats = _beats(leads, rate_hz)
    intervals: dict[str, float] = {}
    for name in ("PR", "QRS", "QT"):
        per_lead = [median(v) for waves in leads if (v := _intervals(waves, name))]
        if len(per_lead) * 2 >= len(leads):
            intervals[name] = median(per_lead) * 1000.0 / rate_hz
    return Reference(beats, intervals, beats[0], beats[-1])


def waves_of(marks: Sequence[Mark]) -> Sequence[Wave]:
    """Return the waves that the marks ``(``, symbol, ``)`` enclose, by time."""
    waves: list[Wave] = []
    for index, mark in enumerate(marks):
        if mark.code not in _WAVES:
            continue
        before = marks[index - 1] if index else None
        after = marks[index + 1] if index + 1 < len(marks) else None
        waves.append(
            Wave(
                _WAVES[mark.code],
                before.sample if before and before.code == _OPEN else None,
                mark.sample,
                after.sample if after and after.code == _CLOSE else None,
            )
        )
    return waves


def _intervals(waves: Sequence[Wave], name: str) -> Sequence[int]:
    found: list[int] = []
    for index, wave in enumerate(waves):
        if wave.kind != "QRS" or wave.onset is None:
            continue
        before = waves[index - 1] if index else None
        after = waves[index + 1 : index + 3]
        if name == "QRS" and wave.end is not None:
            found.append(wave.end - wave.onset)
        elif name == "PR" and before and before.kind == "P" and before.onset is not None:
            found.append(wave.onset - before.onset)
        elif name == "QT":
            # A biphasic T is marked twice; its end is that of the last.
            ends = [w.end for w in _while_t(after) if w.end is not None]
            found.extend(end - wave.onset for end in ends[-1:])
    return found


def _while_t(waves: Sequence[Wave]) -> Sequence[Wave]:
    found: list[Wave] = []
    for wave in waves:
        if wave.kind != "T":
            break
        found.append(wave)
    return found


def _beats(leads: Sequence[Sequence[Wave]], rate_hz: float) -> Sequence[float]:
    """Return the R times that at least half of the leads agree on: the median of each cluster."""
    marked = sorted(wave.peak / rate_hz for waves in leads for wave in waves if wave.kind == "QRS")
    clusters: list[list[float]] = []
    for time in marked:
        if clusters and time - clusters[-1][0] <= _SAME_BEAT_SECONDS:
            clusters[-1].append(time)
        else:
            clusters.append([time])
    return [median(cluster) for cluster in clusters if 2 * len(cluster) >= len(leads)]
