"""Synthetic ECGs whose every point is known, for what measures them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from storage.ecg.leads import Lead
from storage.ecg.waveform import EcgGroup, EcgRecord, GroupKind, RecordedChannel

EIGHT_LEADS = (Lead.I, Lead.II, Lead.V1, Lead.V2, Lead.V3, Lead.V4, Lead.V5, Lead.V6)

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Heart:
    """What beats; times in ms, voltages in µV of lead II.

    axis is that of QRS and T in degrees; st is a level from J to the T wave in every lead.
    beats: onsets of QRS in seconds, instead of those of the rate.
    """

    rate: float = 72
    pr: float = 160
    p: float = 100
    qrs: float = 90
    qt: float = 400
    axis: float = 50
    gain: float = 1
    noise: float = 5
    st: float = 0
    has_p: bool = True
    beats: Sequence[float] = ()
    leads: Sequence[Lead | None] = EIGHT_LEADS
    spike: float = 0
    seed: int = 1
    wave: float = field(default=1000)


def onsets(heart: Heart, seconds: float) -> Sequence[float]:
    """Return where the QRS complexes of the record begin."""
    return heart.beats or np.arange(0.5, seconds - 0.3, 60 / heart.rate).tolist()


def signal(heart: Heart, *, seconds: float = 10, rate_hz: float = 500) -> Signal:
    """Return (leads, samples) in µV; waves are raised cosines, so they begin and end at points."""
    time = np.arange(int(seconds * rate_hz)) / rate_hz
    size = np.array([_projection(lead, heart.axis) for lead in heart.leads])
    p_size = np.array([_projection(lead, 50) for lead in heart.leads]) * 0.12
    total = np.zeros((len(heart.leads), len(time)))
    q, wide = heart.qrs / 1000, heart.qt / 1000
    for onset in onsets(heart, seconds):
        if heart.has_p:
            half = heart.p / 2000
            total += np.outer(p_size, _bump(time, onset - heart.pr / 1000 + half, half))
        total += np.outer(size * -0.15, _bump(time, onset + 0.15 * q, 0.15 * q))
        total += np.outer(size, _bump(time, onset + 0.5 * q, 0.3 * q))
        total += np.outer(size * -0.25, _bump(time, onset + 0.85 * q, 0.15 * q))
        total += np.outer(size * 0.3, _bump(time, onset + wide - 0.09, 0.09))
        total[:, (time >= onset + q) & (time < onset + wide - 0.09)] += heart.st / heart.wave
        if heart.spike:
            total[:, int((onset - 0.02) * rate_hz)] += heart.spike / heart.wave
    noise = np.random.default_rng(heart.seed).normal(0, heart.noise, total.shape)
    return total * heart.wave * heart.gain + noise


def record_of(
    microvolts: Signal, *, rate_hz: float = 500, leads: Sequence[Lead | None] = EIGHT_LEADS
) -> EcgRecord:
    """Return a record of one group that holds the rows as its leads."""
    channels = tuple(
        RecordedChannel(lead, lead.value if lead else "?", row)
        for lead, row in zip(leads, microvolts, strict=True)
    )
    return EcgRecord((EcgGroup(GroupKind.RHYTHM, "", rate_hz, microvolts.shape[1], channels),))


def heart_record(heart: Heart, *, seconds: float = 10, rate_hz: float = 500) -> EcgRecord:
    """Return the record of a heart."""
    return record_of(
        signal(heart, seconds=seconds, rate_hz=rate_hz), rate_hz=rate_hz, leads=heart.leads
    )


def _bump(time: Signal, centre: float, half: float) -> Signal:
    inside = np.abs(time - centre) < half
    return np.where(inside, 0.5 * (1 + np.cos(np.pi * (time - centre) / half)), 0.0)


_CHEST = {Lead.V1: -0.8, Lead.V2: -0.5, Lead.V3: 0.3, Lead.V4: 1.2, Lead.V5: 1.1, Lead.V6: 0.8}
_LIMB = {Lead.I: 0.0, Lead.II: 60.0, Lead.III: 120.0}


def _projection(lead: Lead | None, axis: float) -> float:
    if lead is None:
        return 1.0
    return float(np.cos(np.radians(axis - _LIMB[lead]))) if lead in _LIMB else _CHEST[lead]
