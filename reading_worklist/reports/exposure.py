"""What the objects of an exam say of its dose and its contrast medium.

The dose of a CT is in its dose report (X-Ray Radiation Dose SR, TID 10011), where the device sends
one; otherwise the images name CTDIvol, and nobody the dose-length product.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import pydicom
from pydicom.errors import InvalidDicomError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from storage.index.tables import Instance, Series
from storage.objects import ObjectKey, ObjectStore

_DOSE_REPORT: Final = "1.2.840.10008.5.1.4.1.1.88.67"
_MEAN_CTDI: Final = "113830"
_TOTAL_DLP: Final = "113813"
_PICTURED: Final = ("CT", "MR", "XA", "MG")
# The first image of each series says it; a series more changes nothing.
_SERIES: Final = 12


@dataclass(frozen=True, slots=True)
class Exposure:
    """dose, contrast: as printed; empty when nothing says so."""

    dose: str = ""
    contrast: str = ""


def telling_objects(session: Session, study_id: UUID) -> list[ObjectKey]:
    """Return the keys of what is worth reading: dose reports, and an image of each series."""
    first = (
        select(Instance.object_key, Series.series_number, Instance.instance_number)
        .ext(distinct_on(Series.id))
        .join(Series, Series.id == Instance.series_id)
        .where(Instance.study_id == study_id, Series.modality.in_(_PICTURED))
        .order_by(Series.id, Instance.instance_number.nulls_last(), Instance.id)
        .limit(_SERIES)
    )
    reports = select(Instance.object_key).where(
        Instance.study_id == study_id, Instance.sop_class_uid == _DOSE_REPORT
    )
    keys = [*session.scalars(reports), *(row.object_key for row in session.execute(first))]
    return [ObjectKey(key) for key in keys]


def exposure(objects: ObjectStore, keys: Sequence[ObjectKey]) -> Exposure:
    """Read what the objects say; one that is no DICOM says nothing.

    Call it outside of a transaction.
    """
    indices: list[float] = []
    products: list[float] = []
    agents: list[str] = []
    for key in keys:
        header = _header(objects, key)
        if header is None:
            continue
        if str(header.get("SOPClassUID", "")) == _DOSE_REPORT:
            found = list(_numbers(header))
            # A dose report is sent again when more was added: the greatest is the whole.
            products += [value for code, value in found if code == _TOTAL_DLP]
            indices += [value for code, value in found if code == _MEAN_CTDI]
        else:
            indices += [value for value in (_number(header.get("CTDIvol")),) if value]
            agents.append(str(header.get("ContrastBolusAgent") or "").strip())
    parts = [
        *([f"CTDIvol {max(indices):.3g} mGy"] if indices else []),
        *([f"DLP {max(products):.4g} mGy·cm"] if products else []),
    ]
    return Exposure(" · ".join(parts), ", ".join(dict.fromkeys(one for one in agents if one)))


def _header(objects: ObjectStore, key: ObjectKey) -> Any:  # noqa: ANN401 - pydicom has no types
    untyped: Any = pydicom
    with objects.open(key) as file:
        try:
            return untyped.dcmread(file, stop_before_pixels=True, force=True)
        except (InvalidDicomError, ValueError, EOFError):
            return None


def _numbers(item: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401 - pydicom has no types
    """Walk a content tree (PS3.3 C.17.3) and return its numbers with the codes of their names."""
    for child in item.get("ContentSequence") or ():
        name = child.get("ConceptNameCodeSequence") or ()
        measured = child.get("MeasuredValueSequence") or ()
        if name and measured:
            value = _number(measured[0].get("NumericValue"))
            if value is not None:
                yield str(name[0].get("CodeValue", "")), value
        yield from _numbers(child)


def _number(value: object) -> float | None:
    try:
        return float(str(value)) if value is not None else None
    except ValueError:
        return None
