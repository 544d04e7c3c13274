"""A heart for tests: twelve leads of a regular beat with known waves, in µV."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid
from scipy.special import expit

from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord, Microvolts
from tests.support import ecg

RATE = 500.0

# (P, Q, R, S, T) of each recorded lead in µV; the others follow from I and II.
_WAVES: Mapping[Lead, tuple[float, float, float, float, float]] = {
    Lead.I: (80, -40, 700, -100, 200),
    Lead.II: (130, -60, 1000, -150, 300),
    Lead.V1: (60, 0, 250, -900, -80),
    Lead.V2: (60, 0, 400, -1200, 350),
    Lead.V3: (60, 0, 700, -800, 450),
    Lead.V4: (70, -30, 1200, -400, 450),
    Lead.V5: (70, -50, 1200, -200, 350),
    Lead.V6: (70, -60, 900, -100, 250),
}
_PLACES = ((-0.16, 0.025), (-0.03, 0.009), (0.0, 0.012), (0.03, 0.010), (0.28, 0.045))
"""Centre against R and width of P, Q, R, S and T in seconds."""


def beats_at(
    times: Sequence[float],
    *,
    seconds: float = 10.0,
    st: Mapping[Lead, float] | None = None,
    p_waves: bool = True,
    noise: float = 4.0,
    wide: float = 1.0,
) -> dict[Lead, Microvolts]:
    """The twelve leads with an R wave at each of the times.

    st: elevation from J to T in µV, of I, II and the chest leads; the other limb leads follow.
    noise: standard deviation. wide: how many times as wide the QRS complex is.
    """
    t = np.arange(round(seconds * RATE)) / RATE
    random = np.random.default_rng(7)
    levels = dict(st or {})
    made: dict[Lead, Microvolts] = {}
    for lead, heights in _WAVES.items():
        line = random.normal(0, noise, t.size)
        for at in times:
            for index, (height, (centre, width)) in enumerate(zip(heights, _PLACES, strict=True)):
                if index == 0 and not p_waves:
                    continue
                stretch = wide if 1 <= index <= 3 else 1.0
                line += height * np.exp(
                    -(((t - at - centre * stretch) / (width * stretch)) ** 2) / 2
                )
            # Rises with the end of S, falls with T.
            rise = expit((t - at - 0.042 * wide) / 0.003)
            fall = expit((at + 0.30 - t) / 0.02)
            line += levels.get(lead, 0.0) * rise * fall
        made[lead] = line
    first, second = made[Lead.I], made[Lead.II]
    made[Lead.III] = second - first
    made[Lead.AVR] = -(first + second) / 2
    made[Lead.AVL] = first - second / 2
    made[Lead.AVF] = second - first / 2
    return {lead: made[lead] for lead in STANDARD_LEADS}


def regular(rate: float = 70.0, *, seconds: float = 10.0) -> list[float]:
    """The times of R at a regular rate per minute."""
    return list(np.arange(0.4, seconds - 0.4, 60.0 / rate))


def arms_exchanged(leads: Mapping[Lead, Microvolts]) -> dict[Lead, Microvolts]:
    """The leads as they are when the cables of the arms are exchanged."""
    return {
        **leads,
        Lead.I: -leads[Lead.I],
        Lead.II: leads[Lead.III],
        Lead.III: leads[Lead.II],
        Lead.AVR: leads[Lead.AVL],
        Lead.AVL: leads[Lead.AVR],
    }


def record_of(leads: Mapping[Lead, Microvolts]) -> EcgRecord:
    """The leads as a record."""
    count = len(next(iter(leads.values())))
    return ecg.record(dict(leads), seconds=count / RATE, rate=RATE)


def dicom_of(leads: Mapping[Lead, Microvolts], **header: object) -> bytes:
    """The leads as a 12-lead ECG object of a patient and a study; `header` adds to both."""
    samples = np.array([np.rint(line / 2.5) for line in leads.values()], "<i2").T
    channels = [ecg.channel(lead, sensitivity=2.5) for lead in leads]
    said: dict[str, object] = {
        "Modality": "ECG",
        "PatientName": "Heart^Test",
        "PatientID": "H1",
        "PatientSex": "M",
        "PatientBirthDate": "19600517",
        "StudyDate": "20261122",
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "InstanceNumber": 1,
    }
    group = ecg.multiplex_group(samples, channels, SamplingFrequency=RATE)
    return ecg.file_bytes(ecg.ecg_dataset(group, **{**said, **header}))


def uid_of(data: bytes) -> str:
    """The Study Instance UID of a file."""
    return str(dcmread(DicomBytesIO(data)).StudyInstanceUID)
