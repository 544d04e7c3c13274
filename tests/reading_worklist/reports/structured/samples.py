"""Reports of every kind as structured objects, all of one study."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import UUID

from pydicom import dcmread
from pydicom.dataset import Dataset

from reading_worklist.reports.document import (
    EcgBlock,
    EcgMeasurement,
    EcgSource,
    ReportDocument,
    ReportStatus,
)
from reading_worklist.reports.structured.content_items import InstanceReference
from reading_worklist.reports.structured.instance import (
    VersionFacts,
    key_object_selection,
    structured_report,
)
from reading_worklist.reports.structured.report import SignedBy, StructuredSource
from reading_worklist.typesetting.labels import Language
from storage.study_facts import StudyFacts
from tests.support.reports import ct_report

SIGNED = datetime(2026, 3, 14, 2, 15, 26, tzinfo=UTC)
WAVEFORM = InstanceReference("1.2.3.4", "1.2.3.5", "1.2.840.10008.5.1.4.1.1.9.1.2", "1.2.3.6")
_CT = "1.2.840.10008.5.1.4.1.1.2"
SENT = tuple(InstanceReference("1.2.3.4", "1.2.3.10", _CT, f"1.2.3.10.{n}") for n in range(1, 4))
LOOP = InstanceReference("1.2.3.4", "1.2.3.11", "1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.11.1")
PICKED = (SENT[1], replace(LOOP, frame_number=7))
BEFORE = InstanceReference("1.2.3.4", "1.2.3.7", "1.2.840.10008.5.1.4.1.1.88.22", "1.2.3.8")
VERSION = VersionFacts(UUID(int=1), UUID(int=2), 1, SIGNED)
STUDY = StudyFacts(
    patient_name="Zhang^San=张^三",
    patient_id="P1",
    issuer_of_patient_id=None,
    patient_birth_date=date(1960, 2, 3),
    patient_sex="M",
    study_instance_uid="1.2.3.4",
    study_date=date(2026, 3, 4),
    study_time=time(9, 8, 7),
    study_id="S1",
    study_description="ECG",
    accession_number="A1",
    referring_physician_name="Li^Si",
    modalities=("ECG",),
    specific_character_set="GB18030",
    timezone_offset=None,
)
BLOCK = EcgBlock(
    measurements=(
        EcgMeasurement("heart_rate", "72", "/min", "device"),
        EcgMeasurement("pr", "148", "ms", "device"),
        EcgMeasurement("heart_rate", "71", "/min", "centre"),
        EcgMeasurement("pr", "150", "ms", "centre"),
        EcgMeasurement("qrs", "", "ms", "centre", "too noisy"),
        EcgMeasurement("qt", "400", "ms", "centre"),
        EcgMeasurement("qtc_bazett", "435", "ms", "centre"),
        EcgMeasurement("qtc_fridericia", "423", "ms", "centre"),
        EcgMeasurement("qrs_axis", "-35", "deg", "centre"),
        EcgMeasurement("pr", "160", "ms", "confirmed"),
        EcgMeasurement("rv5", "1.85", "mV", "centre"),
        EcgMeasurement("sv1", "1.10", "mV", "centre"),
        EcgMeasurement("rv5_sv1", "2.95", "mV", "centre"),
    ),
    statements=("sinus_rhythm", "rbbb", "st_t_change"),
    method="rdc median beat 1.0",
    source=EcgSource(
        series_instance_uid="1.2.3.5",
        sop_class_uid=WAVEFORM.sop_class_uid,
        sop_instance_uid=WAVEFORM.sop_instance_uid,
        sampling_rate_hz=500,
        twelve_leads=True,
    ),
)


def ecg_report(**changes: object) -> ReportDocument:
    return ct_report(
        modality="ECG",
        findings="P波规律出现。",
        impression="窦性心律\n完全性右束支阻滞",
        advice="结合临床。",
        ecg=BLOCK,
        codes={"ecg_class": "abnormal"},
        **changes,
    )


def structured(
    document: ReportDocument | None = None,
    version: VersionFacts = VERSION,
    *,
    study: StudyFacts = STUDY,
    waveform: InstanceReference | None = WAVEFORM,
    key_images: Sequence[InstanceReference] = (),
    make: Callable[..., Dataset] = structured_report,
) -> Dataset:
    source = StructuredSource(
        document=document or ecg_report(),
        language=Language.ZH_CN,
        signers=(
            SignedBy("李书写", "临江县人民医院", SIGNED),
            SignedBy("王审核", "临江县人民医院", SIGNED),
        ),
        waveform=waveform,
        key_images=key_images,
        evidence=SENT,
    )
    return make(source, version, study)


BARE = replace(
    STUDY,
    patient_name="",
    patient_id=None,
    patient_birth_date=None,
    patient_sex=None,
    study_date=None,
    study_time=None,
    study_id=None,
    study_description=None,
    accession_number=None,
    referring_physician_name=None,
    specific_character_set=None,
)


def void_report() -> ReportDocument:
    return ct_report(
        status=ReportStatus.REVOKED,
        findings="",
        impression="报告 7KQFM2XA91TD 已作废。",
        amendment_reason="患者有误",
    )


KINDS: dict[str, Callable[[], Dataset]] = {
    "ecg": structured,
    "preliminary": lambda: structured(ecg_report(status=ReportStatus.PRELIMINARY)),
    "amended": lambda: structured(version=replace(VERSION, predecessor=BEFORE)),
    "bare": lambda: structured(study=BARE),
    "unread": lambda: structured(
        ct_report(modality="ECG", findings="", impression="x", advice="", ecg=EcgBlock()),
        waveform=None,
    ),
    "measured": lambda: structured(
        ct_report(
            modality="ECG",
            ecg=replace(
                BLOCK,
                source=None,
                measurements=tuple(
                    replace(one, value=one.value or "92") for one in BLOCK.measurements
                ),
            ),
        ),
        waveform=None,
    ),
    "words": lambda: structured(ct_report(), study=CT_STUDY, waveform=None, key_images=PICKED),
    "void": lambda: structured(
        void_report(), replace(VERSION, predecessor=BEFORE), study=CT_STUDY, waveform=None
    ),
    "void ecg": lambda: structured(
        replace(void_report(), modality="ECG"), replace(VERSION, predecessor=BEFORE), waveform=None
    ),
    "picked": lambda: structured(
        ct_report(),
        study=CT_STUDY,
        waveform=None,
        key_images=PICKED,
        make=key_object_selection,
    ),
}
CT_STUDY = replace(STUDY, modalities=("CT",), study_description="Chest")


def read(path: Path) -> Dataset:
    """Return what is in a file."""
    return dcmread(path)
