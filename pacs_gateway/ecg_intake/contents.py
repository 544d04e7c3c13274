"""What was read from a file: signals and findings, patient, circumstances."""

from dataclasses import dataclass, field

from storage.ecg.identification import EcgAcquisition, EcgPatient
from storage.ecg.waveform import EcgRecord


@dataclass(frozen=True, slots=True)
class EcgContents:
    """One ECG file, whatever its format."""

    record: EcgRecord
    patient: EcgPatient = field(default=EcgPatient())
    acquisition: EcgAcquisition = field(default=EcgAcquisition())
