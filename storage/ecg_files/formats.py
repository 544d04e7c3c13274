"""The formats in which ECGs come."""

from enum import StrEnum


class EcgFormat(StrEnum):
    """What a file is, by its content."""

    DICOM = "DICOM"
    SCP = "SCP-ECG"
    AECG = "HL7 aECG"
    MFER = "MFER"
    MUSE = "GE MUSE XML"
    PHILIPS = "Philips XML"
    MORTARA = "Mortara XML"
    ISHNE = "ISHNE"
    EDF = "EDF"
    PDF = "PDF"

    @property
    def media_type(self) -> str:
        """Return the media type under which an original of the format is sent."""
        return _MEDIA_TYPES.get(self, "application/octet-stream")

    @property
    def suffix(self) -> str:
        """Return what the name of a file of the format ends with."""
        return _SUFFIXES[self]


_XML = "application/xml"
_MEDIA_TYPES = {
    EcgFormat.DICOM: "application/dicom",
    EcgFormat.AECG: _XML,
    EcgFormat.MUSE: _XML,
    EcgFormat.PHILIPS: _XML,
    EcgFormat.MORTARA: _XML,
    EcgFormat.PDF: "application/pdf",
}
_SUFFIXES = {
    EcgFormat.DICOM: ".dcm",
    EcgFormat.SCP: ".scp",
    EcgFormat.AECG: ".xml",
    EcgFormat.MFER: ".mwf",
    EcgFormat.MUSE: ".xml",
    EcgFormat.PHILIPS: ".xml",
    EcgFormat.MORTARA: ".xml",
    EcgFormat.ISHNE: ".ecg",
    EcgFormat.EDF: ".edf",
    EcgFormat.PDF: ".pdf",
}
