"""What request and objects bring to the paper."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from reading_worklist.reports.document import PrintedPatient
from reading_worklist.reports.exposure import Exposure, exposure
from reading_worklist.reports.ordered import as_ordered
from reading_worklist.reports.rendering import render
from reading_worklist.typesetting.labels import Language
from storage.objects import ObjectKey, ObjectStore
from storage.orders.tables import Order
from storage.orders.words import DocumentKind, Laterality, OrderSource, Priority, VisitType
from tests.support.reports import ct_report, text_of, typesetter

DOSE_REPORT = UID("1.2.840.10008.5.1.4.1.1.88.67")


def order(**more: object) -> Order:
    facts: dict[str, object] = {
        "id": uuid4(),
        "source": OrderSource.API,
        "priority": Priority.ROUTINE,
        "study_instance_uid": "1.2.3",
        "accession_number": "QS260314CT0007",
        "placer_order_number": "HIS-778",
        "requested_procedure_id": "RP1",
        "patient_name": "=张三",
        "document_kind": DocumentKind.RESIDENT_ID,
        "document_number": "330102196901011234",
        "visit_type": VisitType.INPATIENT,
        "visit_number": "ZY0077",
        "department": "呼吸内科",
        "bed": "12",
        "requester": "王小明",
        "clinical_diagnosis": "咳嗽待查",
        "reason": "排除肺部感染",
        "procedure_description": "胸部CT平扫",
        "laterality": Laterality.LEFT,
        "requested_at": datetime(2026, 3, 14, 1, 5, tzinfo=UTC),
    }
    return Order(**{**facts, **more})


BARE = ct_report(
    patient=PrintedPatient(name="张三", sex="M"),
    accession_number="",
    requester="",
    clinical_diagnosis="",
    procedure="CHEST^ROUTINE",
    laterality="",
    ordered_at=None,
)


@pytest.mark.parametrize(
    ("language", "visit"), [(Language.ZH_CN, "住院"), (Language.EN, "Inpatient")]
)
def test_what_was_ordered_is_on_the_paper(language: Language, visit: str) -> None:
    text = text_of(render(as_ordered(BARE, order()), language, typesetter()))
    for said in (
        visit, "330102********1234", "ZY0077", "呼吸内科", "12", "HIS-778", "王小明", "咳嗽待查",
        "排除肺部感染", "胸部CT平扫", "QS260314CT0007", "2026-03-1409:05",
    ):  # fmt: skip
        assert said in text
    assert "330102196901011234" not in text


def test_what_the_images_say_themselves_comes_first() -> None:
    said = as_ordered(ct_report(laterality="R", accession_number="A1"), order())
    assert (said.laterality, said.accession_number) == ("R", "A1")
    assert as_ordered(BARE, order()).laterality == "L"
    assert as_ordered(BARE, None) == BARE
    plain = as_ordered(BARE, order(document_number=None, placer_order_number=None))
    assert (plain.patient.identity, plain.order_number) == ("", "RP1")


def written(objects: ObjectStore, dataset: Dataset, sop_class: UID) -> ObjectKey:
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return stored(objects, buffer.getvalue())


def stored(objects: ObjectStore, content: bytes) -> ObjectKey:
    key = ObjectKey.parse(f"test/{uuid4()}")
    objects.put(key, content, content_type="application/dicom")
    return key


def number(code: str, value: str) -> Dataset:
    name, measured, item = Dataset(), Dataset(), Dataset()
    name.CodeValue = code
    measured.NumericValue = value
    item.ConceptNameCodeSequence = [name]
    item.MeasuredValueSequence = [measured]
    return item


def container(*children: Dataset) -> Dataset:
    item = Dataset()
    item.ContentSequence = list(children)
    return item


def test_the_dose_report_tells_the_dose(objects: ObjectStore) -> None:
    partial = container(container(number("113813", "100")), container(number("113830", "8.34")))
    whole = container(
        container(number("113813", "312.44")),
        container(number("113830", "8.34")),
        container(number("113830", "2.1"), number("113838", "99")),
    )
    image = Dataset()
    image.CTDIvol = 7.9
    image.ContrastBolusAgent = "Iohexol 350"
    keys = [
        written(objects, partial, DOSE_REPORT),
        written(objects, whole, DOSE_REPORT),
        written(objects, image, CTImageStorage),
    ]
    assert exposure(objects, keys) == Exposure("CTDIvol 8.34 mGy · DLP 312.4 mGy·cm", "Iohexol 350")
    assert exposure(objects, keys[2:]) == Exposure("CTDIvol 7.9 mGy", "Iohexol 350")


def test_objects_that_say_nothing_say_nothing(objects: ObjectStore) -> None:
    image = Dataset()
    image.PatientName = "x"
    keys = [written(objects, image, CTImageStorage), stored(objects, b"no DICOM at all" * 40)]
    assert exposure(objects, keys) == Exposure()
    assert exposure(objects, []) == Exposure()
