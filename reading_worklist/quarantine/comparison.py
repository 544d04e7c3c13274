"""Two versions of an instance side by side: what their headers say differently.

Reads what peers sent, through the readers that bound depth and size; nothing
here trusts it. Large values are told by their length, pixel data by whether the
bytes are the same.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.dicomweb.metadata import instance_metadata
from reading_worklist.dicomweb.queries import InstanceRecord
from storage.dicom_header import DatasetError, InstanceHeader, read_file_meta, read_header
from storage.index.tables import Instance, Quarantine, QuarantineReason, Study
from storage.keeping.digests import digest_of
from storage.objects import ObjectKey, ObjectStore

_SHOWN: Final = 400
_DIFFERENCES_MAX: Final = 500
_PATIENT_GROUP: Final = "0010"
_FOR_BULK: Final = "BulkDataURI"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an instance.

    header: None when it cannot be read; `unreadable` says why, without patient data.
    """

    object_key: str
    size: int
    sha256: str
    received_at: datetime
    device_id: UUID | None
    transfer_syntax_uid: str
    dataset_offset: int
    header: InstanceHeader | None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute of the top level; None where a version does not have it."""

    tag: str
    keyword: str
    filed: str | None
    newcomer: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry with the instance it is held against.

    filed: for a UID conflict the filed version; for another patient some instance of the study.
    """

    entry: Quarantine
    filed: Instance | None


def pair_of(session: Session, entry: Quarantine) -> Pair:
    """Return what the entry can be compared with."""
    filed = None
    if entry.instance_id is not None:
        filed = session.get(Instance, entry.instance_id)
    elif entry.reason == QuarantineReason.PATIENT_MISMATCH:
        filed = session.scalar(
            select(Instance)
            .join(Study, Study.id == Instance.study_id)
            .where(
                Study.site_id == entry.site_id,
                Study.study_instance_uid == entry.detail.get("study_instance_uid", ""),
            )
            .order_by(Instance.id)
            .limit(1)
        )
    return Pair(entry, filed)


def version_of_entry(objects: ObjectStore, entry: Quarantine) -> Version:
    """Read the quarantined version.

    Raises:
        ObjectStoreUnavailable: the object store does not answer.
    """
    syntax, offset, header, unreadable = "", 0, None, ""
    try:
        with objects.open(ObjectKey(entry.object_key)) as file:
            meta = read_file_meta(file)
            syntax, offset = meta.transfer_syntax_uid, meta.dataset_offset
            file.seek(offset)
            header = read_header(file, syntax)
    except DatasetError as error:
        unreadable = f"{error.what}: {error.found}"
    return Version(
        entry.object_key,
        entry.object_size,
        entry.dataset_sha256,
        entry.received_at,
        entry.device_id,
        syntax,
        offset,
        header,
        unreadable,
    )


def differences(
    objects: ObjectStore, entry: Quarantine, newcomer: Version, filed: Instance
) -> list[Difference]:
    """Return the attributes in which two versions differ, by tag.

    Against another patient's study only what tells the patient (group 0010) is compared.
    """
    # Both as they were sent: a correction of the patient is in neither.
    left = instance_metadata(objects, _record_of(filed), None)
    right = instance_metadata(objects, _record_of_version(newcomer), None)
    found: list[Difference] = []
    for tag in sorted({*left, *right}):
        if entry.reason == QuarantineReason.PATIENT_MISMATCH and not tag.startswith(_PATIENT_GROUP):
            continue
        filed_text, newcomer_text = _text(left.get(tag)), _text(right.get(tag))
        if filed_text != newcomer_text:
            found.append(Difference(tag, _keyword(tag), filed_text, newcomer_text))
    return found[:_DIFFERENCES_MAX]


def same_pixels(objects: ObjectStore, newcomer: Version, filed: Instance) -> bool | None:
    """Tell whether all bytes from Pixel Data on are the same; None where one has none."""
    header = newcomer.header
    if header is None or header.pixel_data_offset is None or filed.pixel_data_offset is None:
        return None
    left = filed.object_size - filed.pixel_data_offset
    if left != newcomer.size - header.pixel_data_offset:
        return False
    ours, _ = digest_of(objects, ObjectKey(filed.object_key), filed.pixel_data_offset)
    theirs, _ = digest_of(objects, ObjectKey(newcomer.object_key), header.pixel_data_offset)
    return ours == theirs


def _record_of(filed: Instance) -> InstanceRecord:
    return InstanceRecord(
        id=filed.id,
        site_code="",
        study_instance_uid="",
        series_instance_uid="",
        sop_instance_uid=filed.sop_instance_uid,
        sop_class_uid=filed.sop_class_uid,
        transfer_syntax_uid=filed.transfer_syntax_uid,
        object_key=filed.object_key,
        object_size=filed.object_size,
        dataset_sha256=filed.dataset_sha256,
        dataset_offset=filed.dataset_offset,
        pixel_data_offset=filed.pixel_data_offset,
    )


def _record_of_version(version: Version) -> InstanceRecord:
    header = version.header
    return InstanceRecord(
        id=0,
        site_code="",
        study_instance_uid="",
        series_instance_uid="",
        sop_instance_uid=header.sop_instance_uid if header else "",
        sop_class_uid=header.sop_class_uid if header else "",
        transfer_syntax_uid=version.transfer_syntax_uid,
        object_key=version.object_key,
        object_size=version.size,
        dataset_sha256=version.sha256,
        dataset_offset=version.dataset_offset,
        pixel_data_offset=header.pixel_data_offset if header else None,
    )


def _keyword(tag: str) -> str:
    number = int(tag, 16)
    return keyword_for_tag(number) if dictionary_has_tag(number) else ""


def _text(attribute: Any) -> str | None:  # noqa: ANN401 -- an attribute of the DICOM JSON model
    """Return an attribute of the DICOM JSON model (PS3.18 F.2) as one line, cut where long."""
    if attribute is None:
        return None
    if _FOR_BULK in attribute:
        return "(large value)"
    values = attribute.get("Value", attribute.get("InlineBinary", ""))
    if isinstance(values, list):
        texts = [
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for value in cast("list[Any]", values)
        ]
        values = "\\".join(texts)
    text = str(values)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
