"""A measurement report as a viewer stores one (PS3.16 TID 1500)."""

import io
from collections.abc import Mapping, Sequence

from pydicom import Dataset, FileDataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, generate_uid

MM = ("UCUM", "mm", "millimeter")


def code(scheme: str, value: str, meaning: str) -> Sequence[Dataset]:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
    return [item]


def node(kind: str, name: tuple[str, str, str], *children: Dataset, **values: object) -> Dataset:
    item = Dataset()
    item.ValueType = kind
    item.ConceptNameCodeSequence = code(*name)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    if children:
        item.ContentSequence = list(children)
    return item


def number(name: tuple[str, str, str], value: str, image: Dataset) -> Dataset:
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = code(*MM)
    shape = node("SCOORD", ("DCM", "121055", "Path"), image, GraphicType="POLYLINE")
    return node("NUM", name, shape, MeasuredValueSequence=[measured])


def report(
    image_of: Mapping[str, str | None],
    *,
    tracking_uid: str = "1.2.3.4",
    value: str = "12.3456",
    **more: object,
) -> bytes:
    """A measurement report as the viewer writes one: a named lesion with two lengths.

    image_of: StudyInstanceUID, PatientID, SOPClassUID and SOPInstanceUID of what was measured in.
    more: other attributes of the report.
    """
    selected = Dataset()
    selected.ReferencedSOPClassUID = image_of["SOPClassUID"]
    selected.ReferencedSOPInstanceUID = image_of["SOPInstanceUID"]
    selected.ReferencedFrameNumber = 1
    image = Dataset()
    image.ValueType, image.ReferencedSOPSequence = "IMAGE", [selected]
    group = node(
        "CONTAINER",
        ("DCM", "125007", "Measurement Group"),
        node("TEXT", ("DCM", "112039", "Tracking Identifier"), TextValue="Bidirectional"),
        node("UIDREF", ("DCM", "112040", "Tracking Unique Identifier"), UID=tracking_uid),
        node(
            "CODE",
            ("DCM", "121071", "Finding"),
            ConceptCodeSequence=code("CST", "CORNERSTONEFREETEXT", "右肺上叶结节"),
        ),
        number(("SCT", "103339001", "Long Axis"), value, image),
        number(("SCT", "103340004", "Short Axis"), "8", image),
    )
    root = node(
        "CONTAINER",
        ("DCM", "126000", "Imaging Measurement Report"),
        node("CONTAINER", ("DCM", "126010", "Imaging Measurements"), group),
    )
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    dataset = FileDataset(io.BytesIO(), dict(root), file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.Modality = ComprehensiveSRStorage, "SR"
    dataset.StudyInstanceUID = image_of["StudyInstanceUID"]
    dataset.PatientID = image_of["PatientID"]
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, other in more.items():
        setattr(dataset, keyword, other)
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()
