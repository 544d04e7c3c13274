"""What leaves the archive when the desk has decided who the patient is; the bytes underneath."""

import io
from datetime import UTC, datetime

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from storage.datasets.sources import MemorySource
from storage.dicom_header import read_file_meta
from storage.identity.correction import CannotBeCorrected, corrected
from storage.identity.overlay import Overlay
from storage.transcoding import Original
from tests.reading_worklist.dicomweb.samples import bundled

DECIDED = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def overlay(**attributes: str) -> Overlay:
    return Overlay(
        {
            "PatientID": "P777",
            "PatientName": "Li^Na=李^娜",
            "PatientSex": "F",
            "PatientBirthDate": "19850401",
            **attributes,
        },
        DECIDED,
    )


def original(data: bytes) -> Original:
    meta = read_file_meta(io.BytesIO(data))
    return Original(MemorySource(data), meta.dataset_offset, meta.transfer_syntax_uid)


def read(given: Original) -> Dataset:
    """A corrected instance as pydicom reads it."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(given.transfer_syntax_uid)
    file = DicomBytesIO()
    file.write(bytes(128) + b"DICM")
    write_file_meta_info(file, meta, enforce_standard=False)
    file.write(given.source.read(given.dataset_offset, given.source.size))
    file.seek(0)
    return dcmread(file)


def made(syntax: str = ExplicitVRLittleEndian, **attributes: object) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.4"
    dataset.PatientID, dataset.PatientName = "P001", "ZHANG^WEI"
    dataset.PatientSex, dataset.PatientBirthDate = "F", "19800101"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_the_decided_patient_is_said_and_the_header_is_kept(syntax: str) -> None:
    given = original(
        made(syntax, OtherPatientIDs="X9", PatientAge="046Y", PatientWeight="70", Rows=4)
    )
    said = read(corrected(given, overlay()))
    assert (said.PatientID, said.PatientName, said.PatientBirthDate) == (
        "P777",
        "Li^Na=李^娜",
        "19850401",
    )
    assert said.SpecificCharacterSet == "ISO_IR 192"
    assert "OtherPatientIDs" not in said
    assert "PatientAge" not in said
    assert (said.PatientWeight, said.Rows, said.StudyInstanceUID) == (70, 4, "1.2.4")
    (item,) = said.OriginalAttributesSequence
    assert item.AttributeModificationDateTime == "20261122050000.000000+0000"
    assert (item.ModifyingSystem, item.ReasonForTheAttributeModification) == ("RDC", "CORRECT")
    assert item.SourceOfPreviousValues == ""
    (before,) = item.ModifiedAttributesSequence
    assert (before.PatientID, before.PatientName, before.PatientBirthDate) == (
        "P001",
        "ZHANG^WEI",
        "19800101",
    )
    assert (before.OtherPatientIDs, before.PatientAge) == ("X9", "046Y")
    assert not before.SpecificCharacterSet
    # What did not change is not told of.
    assert "PatientSex" not in before


def test_what_the_header_says_already_leaves_its_bytes_alone() -> None:
    given = original(made(PatientID="P777", PatientName="Li^Na", PatientBirthDate="19850401"))
    assert corrected(given, overlay(PatientName="Li^Na")) is given


def test_the_character_set_stays_where_it_has_the_name() -> None:
    given = original(
        made(SpecificCharacterSet="GB18030", PatientName="张^伟", StudyDescription="胸部平扫")
    )
    said = read(corrected(given, overlay()))
    assert (said.SpecificCharacterSet, said.StudyDescription) == ("GB18030", "胸部平扫")
    assert said.PatientName == "Li^Na=李^娜"
    before = said.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert before.PatientName == "张^伟"
    assert "SpecificCharacterSet" not in before


@pytest.mark.parametrize(
    ("declared", "codec"), [("ISO_IR 100", "gb18030"), ("", "gb18030"), ("ISO_IR 100", "latin-1")]
)
def test_text_that_the_name_does_not_fit_beside_becomes_unicode(declared: str, codec: str) -> None:
    """GBK under a false label, and text that is truly Latin-1; in sequences, too."""
    text = "Überfüllung" if codec == "latin-1" else "胸部平扫"
    inner = Dataset()
    inner.CodeMeaning = "place holder"
    data = made(
        SpecificCharacterSet=declared,
        StudyDescription="AAAAAAAAAAAA",
        ProcedureCodeSequence=[inner],
    )
    encoded = text.encode(codec).ljust(12)
    data = data.replace(b"AAAAAAAAAAAA", encoded).replace(b"place holder", encoded)
    said = read(corrected(original(data), overlay()))
    assert said.SpecificCharacterSet == "ISO_IR 192"
    assert said.StudyDescription == text
    assert said.ProcedureCodeSequence[0].CodeMeaning == text
    assert said.PatientName == "Li^Na=李^娜"
    before = said.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert (before.SpecificCharacterSet or "") == declared


def test_another_order_takes_its_request_along() -> None:
    request = Dataset()
    request.AccessionNumber = "A001"
    given = original(made(AccessionNumber="A001", RequestAttributesSequence=[request]))
    said = read(corrected(given, overlay(AccessionNumber="A002")))
    assert said.AccessionNumber == "A002"
    assert "RequestAttributesSequence" not in said
    before = said.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert before.RequestAttributesSequence[0].AccessionNumber == "A001"


def test_corrections_of_others_stay_before_ours() -> None:
    inner = Dataset()
    inner.PatientID = "P000"
    earlier = Dataset()
    earlier.ModifiedAttributesSequence = [inner]
    earlier.ModifyingSystem = "PACS"
    said = read(corrected(original(made(OriginalAttributesSequence=[earlier])), overlay()))
    assert [one.ModifyingSystem for one in said.OriginalAttributesSequence] == ["PACS", "RDC"]


def test_every_real_file_keeps_all_else() -> None:
    changed = {"PatientID", "PatientName", "PatientSex", "PatientBirthDate"}
    for one in bundled():
        if one.name.startswith("DICOMDIR"):
            continue
        given = Original(MemorySource(one.data), one.dataset_offset, one.transfer_syntax_uid)
        try:
            now = corrected(given, overlay(PatientName="Li^Na"))
        except CannotBeCorrected:
            assert one.name in {"rtplan_truncated.dcm", "meta_missing_tsyntax.dcm"}, one.name
            continue
        if now.transfer_syntax_uid == one.transfer_syntax_uid and len(one.data) > 10_000:
            # All behind the patient is where it was, byte for byte.
            tail = one.data[-2000:]
            assert now.source.read(now.source.size - len(tail), len(tail)) == tail, one.name
        said = read(now)
        assert (said.PatientID, said.PatientName) == ("P777", "Li^Na"), one.name
        assert said.OriginalAttributesSequence[-1].ModifyingSystem == "RDC"
        assert all(keyword in said for keyword in changed)


def test_a_dataset_that_breaks_off_before_its_patient_is_refused() -> None:
    data = made()
    with pytest.raises(CannotBeCorrected, match="cannot be read"):
        corrected(original(data[: data.index(b"ZHANG") + 3]), overlay())
