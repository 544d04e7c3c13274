"""An instance with its study's overlay laid over it, as it leaves the archive.

The stored object stays as it is. What leaves says who the patient is by decision, and keeps what
the device wrote in Original Attributes Sequence (0400,0561) (PS3.3 §C.12.1.1.9), in its own
bytes. Everything else keeps its bytes too, unless the decided name cannot be written in the
dataset's character set: then all its text leaves as Unicode.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

from storage.character_sets import UTF8, SpecificCharacterSet, character_set_for, encode_text
from storage.datasets.encoded import (
    SPECIFIC_CHARACTER_SET,
    Dataset,
    Element,
    encoding_of,
    read_dataset,
)
from storage.datasets.pixels import Span
from storage.datasets.sources import (
    DeflateBroken,
    InflatedTooLarge,
    inflate,
)
from storage.datasets.splicing import Segment, SplicedSource
from storage.datasets.writing import TEXT_VRS, CannotBeRewritten, DatasetWriter, is_signed
from storage.dicom_header.encoding import EXPLICIT_SYNTAX, UNDEFINED_LENGTH
from storage.errors import RdcError
from storage.identity.overlay import Overlay
from storage.transcoding import Original

MODIFYING_SYSTEM: Final = "RDC"
"""Modifying System (0400,0563): who replaced the values."""

_ORIGINAL_ATTRIBUTES: Final = 0x04000561
_PATIENT_ID: Final = 0x00100020
_BIRTH_DATE: Final = 0x00100030
_ACCESSION_NUMBER: Final = 0x00080050
_UNINFLATED: Final = {
    "1.2.840.10008.1.2.1.99": EXPLICIT_SYNTAX,
    "1.2.840.10008.1.2.4.95": "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.205": "1.2.840.10008.1.2.4.204",
}


def _tags(keywords: str) -> frozenset[int]:
    return frozenset(tag for one in keywords.split() if (tag := tag_for_keyword(one)) is not None)


# What was said of a person or an order, and of nobody else. Weight and size are not among them:
# they were measured on whoever was examined.
_OF_THE_PERSON: Final = _tags(
    "ReferencedPatientSequence IssuerOfPatientID TypeOfPatientID "
    "IssuerOfPatientIDQualifiersSequence SourcePatientGroupIdentificationSequence "
    "GroupOfPatientsIdentificationSequence PatientBirthTime "
    "PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar "
    "PatientInsurancePlanCodeSequence OtherPatientIDs OtherPatientNames OtherPatientIDsSequence "
    "PatientBirthName PatientAddress InsurancePlanIdentification PatientMotherBirthName "
    "MilitaryRank BranchOfService MedicalRecordLocator ReferencedPatientPhotoSequence "
    "CountryOfResidence RegionOfResidence PatientTelephoneNumbers PatientTelecomInformation "
    "EthnicGroup Occupation AdditionalPatientHistory PatientReligiousPreference "
    "ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization AdmissionID "
    "IssuerOfAdmissionIDSequence ReferencedPatientAliasSequence"
)
_OF_THE_ORDER: Final = _tags(
    "IssuerOfAccessionNumberSequence RequestAttributesSequence RequestedProcedureID "
    "PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest"
)
_OF_THE_BIRTH_DATE: Final = _tags("PatientAge")


class CannotBeCorrected(RdcError):
    """A dataset is broken where the patient is named: he cannot be corrected in what leaves."""


def corrected(original: Original, overlay: Overlay) -> Original:
    """Return an instance as its overlay has it; the same where both say the same.

    What was deflated comes back inflated, in the transfer syntax that says so.

    Raises:
        CannotBeCorrected: the dataset cannot be read up to where the patient is named.
        ObjectStoreUnavailable, ObjectNotFound: as the source raises them.
    """
    try:
        plain = _inflated(original)
        dataset = read_dataset(
            plain.source, plain.dataset_offset, encoding_of(plain.transfer_syntax_uid)
        )
        last = dataset.elements[-1].tag if dataset.elements else 0
        if dataset.cut_at is not None and last <= _ORIGINAL_ATTRIBUTES:
            raise _cannot(f"the dataset breaks off at {dataset.cut_at}")
        change = _change(dataset, overlay)
        if change is None:
            return original
        segments = _Splicing(plain, dataset, change, overlay).segments()
    except (DeflateBroken, InflatedTooLarge, CannotBeRewritten) as error:
        raise _cannot(error.what) from error
    return Original(
        SplicedSource(plain.source, segments), plain.dataset_offset, plain.transfer_syntax_uid
    )


def _cannot(found: str) -> CannotBeCorrected:
    return CannotBeCorrected(
        "the patient of the instance was corrected, and its dataset cannot be read to do so",
        found=found,
        remedy="Let the site send the study again, or take the decision back.",
    )


def _inflated(original: Original) -> Original:
    syntax = _UNINFLATED.get(original.transfer_syntax_uid)
    if syntax is None:
        return original
    return Original(inflate(original.source, original.dataset_offset), 0, syntax)


@dataclass(frozen=True, slots=True)
class _Change:
    """What is said instead: VR and value by tag, and the tags of what is left out.

    character_set: what all text is brought to; None when text stays as it is.
    """

    values: Mapping[int, tuple[str, bytes]]
    removed: frozenset[int]
    declared: SpecificCharacterSet
    character_set: str | None


def _change(dataset: Dataset, overlay: Overlay) -> _Change | None:
    """Hold the overlay against what a dataset says; None when they agree."""
    declared = SpecificCharacterSet.parse(_value(dataset, SPECIFIC_CHARACTER_SET))
    new: dict[int, tuple[str, str]] = {}
    for keyword, text in overlay.attributes.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None, "overlays are made of attributes that DICOM knows"
        if declared.decode(_value(dataset, tag)).text != text:
            new[tag] = (dictionary_VR(tag), text)
    if not new:
        return None
    leaving: set[int] = set()
    for tag, dependent in (
        (_PATIENT_ID, _OF_THE_PERSON),
        (_ACCESSION_NUMBER, _OF_THE_ORDER),
        (_BIRTH_DATE, _OF_THE_BIRTH_DATE),
    ):
        if tag in new:
            leaving |= dependent
    present = {element.tag for element in dataset.elements}
    term = character_set_for((text for _, text in new.values()), declared.terms)
    values = {tag: (vr, _padded(encode_text(text, term))) for tag, (vr, text) in new.items()}
    is_other = term == UTF8 and declared.terms != (UTF8,)
    if is_other:
        values[SPECIFIC_CHARACTER_SET] = ("CS", _padded(UTF8.encode("ascii")))
    return _Change(
        values, frozenset(leaving & present - new.keys()), declared, UTF8 if is_other else None
    )


class _Splicing:
    """Puts the segments of one corrected dataset together."""

    def __init__(
        self, original: Original, dataset: Dataset, change: _Change, overlay: Overlay
    ) -> None:
        self._source = original.source
        self._begin = original.dataset_offset
        self._dataset = dataset
        self._change = change
        self._overlay = overlay
        self._signed = is_signed(dataset)

    def segments(self) -> list[Segment]:
        change, elements = self._change, self._dataset.elements
        said: dict[int, list[Segment]] = {
            tag: [self._written(tag, *value)] for tag, value in change.values.items()
        }
        said[_ORIGINAL_ATTRIBUTES] = self._original_attributes()
        waiting = sorted(said)
        result: list[Segment] = [Span(0, self._begin)]
        for element, span in zip(elements, self._spans(), strict=True):
            while waiting and waiting[0] <= element.tag:
                result += said[waiting.pop(0)]
            # Group lengths (retired) would be false now.
            if element.tag in said or element.tag in change.removed or not element.tag & 0xFFFF:
                continue
            result.append(self._other_text(element) or span)
        for tag in waiting:
            result += said[tag]
        return result

    def _spans(self) -> list[Span]:
        """Return where each element is, the last one with all that follows it."""
        starts = [one.start for one in self._dataset.elements]
        ends = [*starts[1:], self._source.size]
        return [Span(start, end - start) for start, end in zip(starts, ends, strict=True)]

    def _written(self, tag: int, vr: str, value: bytes) -> bytes:
        file = io.BytesIO()
        writer = DatasetWriter(file, self._dataset.encoding)
        writer.header(tag, vr, len(value))
        writer.value((value,), 1)
        return file.getvalue()

    def _original_attributes(self) -> list[Segment]:
        """Return the sequence with what it had, and an item of ours at its end."""
        change = self._change
        file = io.BytesIO()
        writer = DatasetWriter(file, self._dataset.encoding)
        writer.header(_ORIGINAL_ATTRIBUTES, "SQ", UNDEFINED_LENGTH)
        before = self._dataset.find(_ORIGINAL_ATTRIBUTES)
        if before is not None:
            retext = self._retext if change.character_set is not None else None
            writer.items(before, self._source, signed=self._signed, retext=retext)
        writer.begin_item()
        writer.header(0x04000550, "SQ", UNDEFINED_LENGTH)
        writer.begin_item()
        head = file.getvalue()
        file.seek(0)
        file.truncate()
        writer.end_item()
        writer.end_sequence()
        for tag, vr, value in (
            (0x04000562, "DT", f"{self._overlay.decided_at.astimezone(UTC):%Y%m%d%H%M%S.%f}+0000"),
            (0x04000563, "LO", MODIFYING_SYSTEM),
            (0x04000564, "LO", ""),
            (0x04000565, "CS", "CORRECT"),
        ):
            file.write(self._written(tag, vr, _padded(value.encode("ascii"))))
        writer.end_item()
        writer.end_sequence()
        return [head, *self._replaced(), file.getvalue()]

    def _replaced(self) -> Iterable[Segment]:
        """Yield the elements that were replaced or left out as they were; absent ones empty."""
        found: dict[int, Span] = {}
        for element, span in zip(self._dataset.elements, self._spans(), strict=True):
            found.setdefault(element.tag, span)
        values = self._change.values
        for tag in sorted(values.keys() | self._change.removed):
            yield found[tag] if tag in found else self._written(tag, values[tag][0], b"")

    def _other_text(self, element: Element) -> bytes | None:
        """Return an element in the other character set; None where that changes nothing."""
        if self._change.character_set is None or not self._is_text_beyond_ascii(element):
            return None
        file = io.BytesIO()
        DatasetWriter(file, self._dataset.encoding).element(
            element, self._dataset.encoding, self._source, signed=self._signed, retext=self._retext
        )
        return file.getvalue()

    def _is_text_beyond_ascii(self, element: Element) -> bool:
        if element.items is None:
            # A value that was not read is a long one.
            value = element.value
            return element.vr in TEXT_VRS and (value is None or not _is_plain(value))
        return any(
            self._is_text_beyond_ascii(inner)
            for item in element.items
            if item.find(SPECIFIC_CHARACTER_SET) is None
            for inner in item.elements
        )

    def _retext(self, value: bytes) -> bytes:
        return _padded(self._change.declared.decode(value).text.encode("utf-8"))


def _is_plain(value: bytes) -> bool:
    return value.isascii() and b"\x1b" not in value


def _value(dataset: Dataset, tag: int) -> bytes:
    element = dataset.find(tag)
    return b"" if element is None or element.value is None else element.value


def _padded(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)
