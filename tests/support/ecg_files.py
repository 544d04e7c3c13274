"""ECG files of other formats, as devices write them, with a known signal.

What each holds: the leads of `LEADS`, `RATE` samples a second for ten seconds, from `signal`.
"""

import base64
import binascii
import io
import struct
from datetime import date

import numpy as np
import numpy.typing as npt

RATE = 500
SECONDS = 10
LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
MICROVOLTS = 5.0
"""Of one unit of the samples."""


def signal(lead: str) -> npt.NDArray[np.int16]:
    """A beat a second, of another height in each lead."""
    time = np.arange(RATE * SECONDS) / RATE
    height = 100 + 25 * LEADS.index(lead)
    spikes = height * np.exp(-(((time % 1.0) - 0.4) ** 2) / 0.0004)
    return np.rint(spikes + 10 * np.sin(2 * np.pi * time)).astype(np.int16)


def _crc(content: bytes) -> int:
    return binascii.crc_hqx(content, 0xFFFF)


def _section(number: int, body: bytes) -> bytes:
    body += b"\0" * (len(body) % 2)
    length = 16 + len(body)
    rest = struct.pack("<HIBB6x", number, length, 20, 20) + body
    return struct.pack("<H", _crc(rest)) + rest


def scp(
    *, patient_id: str = "S1", name: str = "张伟", encoding: str = "gb18030", rate: int = RATE
) -> bytes:
    """SCP-ECG (EN 1064) with uncompressed samples."""
    tags = (
        (0, name.encode(encoding) + b"\0"),
        (2, patient_id.encode() + b"\0"),
        (5, struct.pack("<HBB", 1960, 5, 8)),
        (8, b"\1"),
        (25, struct.pack("<HBB", 2026, 11, 20)),
        (26, bytes((9, 30, 15))),
        (255, b""),
    )
    one = b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in tags)
    count = RATE * SECONDS
    codes = (1, 2, 3, 4, 5, 6, 7, 8)
    three = struct.pack("<BB", len(codes), 0x04 | len(codes) << 3) + b"".join(
        struct.pack("<IIB", 1, count, code) for code in codes
    )
    samples = [signal(lead).astype("<i2").tobytes() for lead in LEADS]
    interval = 1_000_000 // rate if rate else 0
    six = struct.pack("<HHBB", int(MICROVOLTS * 1000), interval, 0, 0)
    six += b"".join(struct.pack("<H", len(one)) for one in samples) + b"".join(samples)
    bodies = {1: _section(1, one), 3: _section(3, three), 6: _section(6, six)}
    at = 7 + 16 + 10 * 12
    pointers = struct.pack("<HII", 0, 16 + 10 * 12, 7)
    for number in range(1, 12):
        body = bodies.get(number, b"")
        pointers += struct.pack("<HII", number, len(body), at if body else 0)
        at += len(body)
    content = _section(0, pointers) + b"".join(bodies.values())
    content = struct.pack("<I", 6 + len(content)) + content
    return struct.pack("<H", _crc(content)) + content


def aecg(*, patient_id: str = "A1", family: str = "Li", given: str = "Fang") -> bytes:
    """HL7 aECG with digits in units of the gain."""
    sequences = "".join(
        f"""<component><sequence>
        <code code="MDC_ECG_LEAD_{lead.upper()}" codeSystem="2.16.840.1.113883.6.24"/>
        <value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/>
        <scale value="{MICROVOLTS}" unit="uV"/>
        <digits>{" ".join(map(str, signal(lead)))}</digits></value></sequence></component>"""
        for lead in LEADS
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <id root="1f0b8f5e-7f0d-4c42-9b7c-0f2d1f6b7a10"/>
    <effectiveTime><low value="20261120093015"/></effectiveTime>
    <componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>
    <id extension="{patient_id}"/><subjectDemographicPerson>
    <name><family>{family}</family><given>{given}</given></name>
    <administrativeGenderCode code="F"/><birthTime value="19700203"/>
    </subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf>
    </timepointEvent></componentOf>
    <component><series><effectiveTime><low value="20261120093015"/></effectiveTime>
    <component><sequenceSet><component><sequence>
    <code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>
    <value xsi:type="GLIST_TS"><head value="20261120093015"/>
    <increment value="{1 / RATE}" unit="s"/></value></sequence></component>{sequences}
    </sequenceSet></component></series></component></AnnotatedECG>""".encode()


def muse(*, patient_id: str = "M1", name: str = "王芳", encoding: str = "gb18030") -> bytes:
    """GE MUSE XML, which names a type definition that nobody has."""
    leads = "".join(
        f"""<LeadData><LeadByteCountTotal>{2 * RATE * SECONDS}</LeadByteCountTotal>
        <LeadTimeOffset>0</LeadTimeOffset>
        <LeadSampleCountTotal>{RATE * SECONDS}</LeadSampleCountTotal>
        <LeadAmplitudeUnitsPerBit>{MICROVOLTS}</LeadAmplitudeUnitsPerBit>
        <LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits><LeadID>{lead}</LeadID>
        <LeadOffsetFirstSample>0</LeadOffsetFirstSample><LeadSampleSize>2</LeadSampleSize>
        <LeadOff>FALSE</LeadOff><WaveFormData>
        {base64.b64encode(signal(lead).astype("<i2").tobytes()).decode()}
        </WaveFormData></LeadData>"""
        for lead in LEADS
    )
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
    <!DOCTYPE RestingECG SYSTEM "restecg.dtd">
    <RestingECG><MuseInfo><MuseVersion>8.0</MuseVersion></MuseInfo>
    <PatientDemographics><PatientID>{patient_id}</PatientID>
    <PatientLastName>{name}</PatientLastName><Gender>FEMALE</Gender></PatientDemographics>
    <TestDemographics><AcquisitionTime>09:30:15</AcquisitionTime>
    <AcquisitionDate>11-20-2026</AcquisitionDate></TestDemographics>
    <RestingECGMeasurements><VentricularRate>61</VentricularRate><PRInterval>0</PRInterval>
    <QRSDuration>90</QRSDuration></RestingECGMeasurements>
    <Diagnosis><DiagnosisStatement><StmtText>窦性心律</StmtText></DiagnosisStatement></Diagnosis>
    <Waveform><WaveformType>Rhythm</WaveformType>
    <NumberofLeads>{len(LEADS)}</NumberofLeads><SampleBase>{RATE}</SampleBase>
    <SampleExponent>0</SampleExponent>{leads}</Waveform></RestingECG>""".encode(encoding)


def mortara(*, patient_id: str = "E1") -> bytes:
    """Mortara ELI XML."""
    channels = "".join(
        f"""<CHANNEL NAME="{lead}" OFFSET="0" BITS="16" FORMAT="SIGNED" ENCODING="BASE64"
        UNITS_PER_MV="{1000 / MICROVOLTS:g}" SAMPLE_FREQ="{RATE}" DURATION="{RATE * SECONDS}"
        DATA="{base64.b64encode(signal(lead).astype("<i2").tobytes()).decode()}"/>"""
        for lead in LEADS
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <ECG ACQUISITION_TIME="20261120093015" VENT_RATE="61">
    <SUBJECT LAST_NAME="ZHAO" FIRST_NAME="LEI" ID="{patient_id}" GENDER="MALE" DOB="19550301"/>
    <SOURCE MANUFACTURER="Mortara" MODEL="ELI 250"/>{channels}</ECG>""".encode()


def _mfer(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    return bytes((tag, 0x84)) + size.to_bytes(4, "big") + value


def mfer(*, patient_id: str = "F1", claimed: int | None = None) -> bytes:
    """MFER (ISO 22077) with blocks of the whole record; claimed: samples that its header says."""
    codes = {"I": 1, "II": 2, "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8}
    count = RATE * SECONDS
    parts = [
        _mfer(0x40, b"MFR Standard 12 leads ECG".ljust(32)),
        _mfer(0x01, b"\1"),
        _mfer(0x0B, bytes((1, 0xFD)) + struct.pack("<h", 1000 // RATE)),
        _mfer(0x0C, bytes((0, 0xFA)) + struct.pack("<h", int(MICROVOLTS))),
        _mfer(0x05, bytes((len(LEADS),))),
        _mfer(0x04, struct.pack("<I", claimed or count)),
        _mfer(0x06, struct.pack("<I", 1)),
        _mfer(0x82, patient_id.encode()),
    ]
    for number, lead in enumerate(LEADS):
        definition = _mfer(0x09, bytes((codes[lead],)))
        parts.append(bytes((0x3F, number, len(definition))) + definition)
    data = b"".join(signal(lead).astype("<i2").tobytes() for lead in LEADS)
    return b"".join((*parts, _mfer(0x1E, data), b"\x80\0"))


def ishne(*, patient_id: str = "H1", rate: int = RATE, leads: int = 2, seconds: int = 0) -> bytes:
    """ISHNE Holter; seconds: of leads II and V1 repeated, else the ten of `signal`."""
    columns = np.stack([signal(lead) for lead in ("II", "V1")], axis=1)
    if seconds:
        columns = np.tile(columns, (seconds // SECONDS, 1))
    head = bytearray(512)
    struct.pack_into("<iiiihh", head, 0, 0, len(columns), 522, 522, 1, 0)
    head[18:58] = b"HOLT".ljust(40, b"\0")
    head[58:98] = b"ZHAO".ljust(40, b"\0")
    head[98:118] = patient_id.encode().ljust(20, b"\0")
    struct.pack_into("<hh", head, 118, 1, 0)
    struct.pack_into("<hhh", head, 122, 1, 1, 1950)
    struct.pack_into("<hhh", head, 128, 20, 11, 2026)
    struct.pack_into("<hhh", head, 134, 20, 11, 2026)
    struct.pack_into("<hhh", head, 140, 9, 30, 15)
    struct.pack_into("<h", head, 146, leads)
    struct.pack_into("<12h", head, 148, 6, 11, *([-9] * 10))
    struct.pack_into("<12h", head, 172, *([1] * 12))
    struct.pack_into("<12h", head, 196, *([int(MICROVOLTS * 1000)] * 12))
    struct.pack_into("<hh", head, 220, 0, 0)
    struct.pack_into("<h", head, 262, rate)
    checksum = struct.pack("<H", _crc(bytes(head)))
    return b"ISHNE1.0" + checksum + bytes(head) + columns.astype("<i2").tobytes()


def edf(*, patient_id: str = "D1", label: str = "ECG ") -> bytes:
    """EDF+ of the leads and a signal of another kind, from edfio."""
    from edfio import Edf, EdfSignal, Patient  # noqa: PLC0415 -- no other test needs it

    scale = MICROVOLTS
    signals = [
        EdfSignal(
            signal(lead).astype(np.float64) * scale,
            RATE,
            label=f"{label}{lead}",
            physical_dimension="uV",
            physical_range=(-32768 * scale, 32767 * scale),
            digital_range=(-32768, 32767),
            prefiltering="HP:0.05Hz LP:150Hz N:50Hz",
        )
        for lead in LEADS
    ]
    signals.append(
        EdfSignal(
            np.zeros(SECONDS), 1, label="SaO2", physical_dimension="%", physical_range=(0, 100)
        )
    )
    patient = Patient(code=patient_id, sex="F", birthdate=date(1970, 2, 3), name="Li_Fang")
    target = io.BytesIO()
    Edf(signals, patient=patient).write(target)
    return target.getvalue()
