"""Content items of a structured report (PS3.3 C.17.3), each as the item of a Content Sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydicom.dataset import Dataset

from reading_worklist.reports.structured.concepts import MEASUREMENT_FAILURE, Concept

_UT_LENGTH_MAX: Final = 20_000
# Delimiters of a person name and of its groups (PS3.5 6.2.1), and of values.
_NAME_DELIMITERS: Final = str.maketrans("^=\\", "   ")


class Relation(StrEnum):
    """How an item belongs to its parent (PS3.3 C.17.3.2.4)."""

    CONTAINS = "CONTAINS"
    HAS_PROPERTIES = "HAS PROPERTIES"
    HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
    HAS_OBS_CONTEXT = "HAS OBS CONTEXT"


@dataclass(frozen=True, slots=True)
class InstanceReference:
    """An instance that a report names.

    channels: (multiplex group, channel) pairs of a waveform, both from 1; empty for all of it.
    frame_number: of an image with several frames, from 1; None for all of it.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    channels: tuple[tuple[int, int], ...] = ()
    frame_number: int | None = None


def coded(concept: Concept) -> Dataset:
    """Return an item of a code sequence (PS3.3 Table 8.8-1)."""
    item = Dataset()
    item.CodeValue = concept.value
    item.CodingSchemeDesignator = concept.scheme
    item.CodeMeaning = concept.meaning
    return item


def container(
    concept: Concept,
    children: Sequence[Dataset],
    *,
    relation: Relation | None = Relation.CONTAINS,
    template: str = "",
) -> Dataset:
    """Return a CONTAINER; without a relation it is the root.

    template: identifier of the template (PS3.16) whose row 1 it is.
    """
    item = _item("CONTAINER", concept, relation)
    item.ContinuityOfContent = "SEPARATE"
    if template:
        used = Dataset()
        used.MappingResource = "DCMR"
        used.TemplateIdentifier = template
        item.ContentTemplateSequence = [used]
    return _with(item, children)


def text(
    concept: Concept,
    value: str,
    *children: Dataset,
    relation: Relation = Relation.CONTAINS,
) -> Dataset:
    """Return a TEXT; `value` must not be empty."""
    item = _item("TEXT", concept, relation)
    item.TextValue = value[:_UT_LENGTH_MAX].replace("\r\n", "\n").replace("\n", "\r\n")
    return _with(item, children)


def code(
    concept: Concept,
    value: Concept,
    *children: Dataset,
    relation: Relation = Relation.CONTAINS,
) -> Dataset:
    """Return a CODE."""
    item = _item("CODE", concept, relation)
    item.ConceptCodeSequence = [coded(value)]
    return _with(item, children)


def number(concept: Concept, value: str | None, unit: Concept, *children: Dataset) -> Dataset:
    """Return a NUM: a decimal string, or None for what could not be measured (CID 42)."""
    item = _item("NUM", concept, Relation.CONTAINS)
    measured: list[Dataset] = []
    if value is None:
        item.NumericValueQualifierCodeSequence = [coded(MEASUREMENT_FAILURE)]
    else:
        one = Dataset()
        one.NumericValue = value
        one.MeasurementUnitsCodeSequence = [coded(unit)]
        measured.append(one)
    item.MeasuredValueSequence = measured
    return _with(item, children)


def person(concept: Concept, name: str, *, relation: Relation) -> Dataset:
    """Return a PNAME of a name as people say it."""
    item = _item("PNAME", concept, relation)
    item.PersonName = person_name(name)
    return item


def moment(concept: Concept, value: datetime) -> Dataset:
    """Return a DATETIME of an aware time, with its offset."""
    item = _item("DATETIME", concept, Relation.CONTAINS)
    item.DateTime = dicom_moment(value)
    return item


def waveform(concept: Concept, reference: InstanceReference) -> Dataset:
    """Return a WAVEFORM (PS3.3 C.18.5)."""
    item = _item("WAVEFORM", concept, Relation.CONTAINS)
    sop = Dataset()
    sop.ReferencedSOPClassUID = reference.sop_class_uid
    sop.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reference.channels:
        sop.ReferencedWaveformChannels = [part for pair in reference.channels for part in pair]
    item.ReferencedSOPSequence = [sop]
    return item


def uid_reference(concept: Concept, uid: str, *, relation: Relation) -> Dataset:
    """Return a UIDREF."""
    item = _item("UIDREF", concept, relation)
    item.UID = uid
    return item


def image(reference: InstanceReference) -> Dataset:
    """Return an IMAGE (PS3.3 C.18.4), which has no name of its own."""
    item = Dataset()
    item.RelationshipType = Relation.CONTAINS.value
    item.ValueType = "IMAGE"
    sop = Dataset()
    sop.ReferencedSOPClassUID = reference.sop_class_uid
    sop.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reference.frame_number is not None:
        sop.ReferencedFrameNumber = reference.frame_number
    item.ReferencedSOPSequence = [sop]
    return item


def person_name(name: str) -> str:
    """Return a displayed name as the one component of a PN, without what would divide it."""
    return name.translate(_NAME_DELIMITERS).strip()


def dicom_moment(value: datetime) -> str:
    """Return an aware time as DT with its offset from UTC (PS3.5 6.2)."""
    return value.strftime("%Y%m%d%H%M%S%z")


def _item(value_type: str, concept: Concept, relation: Relation | None) -> Dataset:
    item = Dataset()
    if relation is not None:
        item.RelationshipType = relation.value
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [coded(concept)]
    return item


def _with(item: Dataset, children: Sequence[Dataset]) -> Dataset:
    if children:
        item.ContentSequence = list(children)
    return item
