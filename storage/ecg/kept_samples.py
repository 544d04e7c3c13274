"""Samples that stay in their file, of which stretches are read when they are looked at.

A 24 h record has a hundred megabytes of samples and a page shows some
kilobytes of them. Channels are interleaved in the file, so that a stretch is
read once for all of them.
"""

import threading
from collections import deque
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self, cast

import numpy as np

from storage.datasets.sources import ByteSource
from storage.ecg.waveform import Microvolts, RecordedChannel, Samples

_STRETCHES: Final = 2
"""How many of the stretches read last are kept: a page, and what the filter saw around it."""
_STRETCH_BYTES_MAX: Final = 4 * 1024 * 1024
KEPT_BYTES_MAX: Final = _STRETCHES * _STRETCH_BYTES_MAX
"""What one group keeps in memory at most."""


@dataclass(frozen=True, slots=True)
class DataInFile:
    """The value of a Waveform Data element (5400,1010), as a place in its source."""

    source: ByteSource
    offset: int
    length: int

    def __len__(self) -> int:
        """Return its size in bytes."""
        return self.length


@dataclass(frozen=True, slots=True)
class _Stretch:
    first: int
    samples: Samples

    def part(self, start: int, stop: int) -> Samples | None:
        """Return [start, stop), None when not all of it is here."""
        if self.first <= start and stop <= self.first + len(self.samples):
            return self.samples[start - self.first : stop - self.first]
        return None


class KeptSamples:
    """The samples of one multiplex group in their file; safe between threads."""

    def __init__(
        self, data: DataInFile, dtype: "np.dtype[np.integer[Any]]", channels: int, sample_count: int
    ) -> None:
        """Take `sample_count` frames of `channels` samples from the beginning of `data`."""
        self._data = data
        self._dtype = dtype
        self._frame = dtype.itemsize * channels
        self._stretches: deque[_Stretch] = deque(maxlen=_STRETCHES)
        self._lock = threading.Lock()
        self.channels: Final = channels
        self.sample_count: Final = sample_count

    @property
    def none(self) -> Samples:
        """No sample of every channel, in the type they all have."""
        return np.empty((0, self.channels), self._dtype)

    def read(self, start: int, stop: int) -> Samples:
        """Return samples [start, stop), kept inside the group, as (samples, channels).

        Raises:
            ObjectNotFound, ObjectStoreUnavailable: as the source says.
            ValueError: the source is shorter than it was.
        """
        start = min(max(start, 0), self.sample_count)
        stop = min(max(stop, start), self.sample_count)
        with self._lock:
            for stretch in self._stretches:
                part = stretch.part(start, stop)
                if part is not None:
                    return part
        count = stop - start
        read = self._data.source.read(self._data.offset + start * self._frame, count * self._frame)
        raw = np.frombuffer(read, self._dtype, count * self.channels).reshape(count, self.channels)
        samples = cast("Samples", raw)
        if len(read) <= _STRETCH_BYTES_MAX:
            with self._lock:
                self._stretches.append(_Stretch(start, samples))
        return samples


@dataclass(frozen=True, slots=True, eq=False)
class KeptChannel(RecordedChannel):
    """A channel whose samples stay in their file: `samples` is empty, `microvolts` reads.

    Ask for stretches: all of it at once is what this avoids.
    """

    kept: KeptSamples | None = field(default=None, kw_only=True)
    column: int = field(default=0, kw_only=True)

    @classmethod
    def of(cls, channel: RecordedChannel, kept: KeptSamples, column: int) -> Self:
        """Return the channel with its samples in a column of `kept`."""
        shared = {one.name: getattr(channel, one.name) for one in fields(RecordedChannel)}
        return cls(**shared, kept=kept, column=column)

    def microvolts(self, start: int = 0, stop: int | None = None) -> Microvolts:
        """Return samples [start, stop) in µV, NaN where a sample is missing.

        Raises:
            ObjectNotFound, ObjectStoreUnavailable: as the source says.
        """
        kept = self.kept
        if kept is None:
            return RecordedChannel.microvolts(self, start, stop)
        rows = kept.read(start, kept.sample_count if stop is None else stop)
        return self.in_microvolts(rows[:, self.column])
