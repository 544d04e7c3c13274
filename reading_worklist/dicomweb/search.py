"""Searches (PS3.18 §10.6): pages of studies, series or instances, told from the index alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from reading_worklist.dicomweb.json_model import (
    UNICODE,
    JsonDataset,
    number_attribute,
    text_attribute,
)
from reading_worklist.dicomweb.matching import Condition, Level, Search
from reading_worklist.dicomweb.queries import Root
from storage.index.tables import Instance, Patient, Series, Study
from storage.registry import Organisation

_ONLINE: Final = {"vr": "CS", "Value": ["ONLINE"]}
_STUDY: Final = (
    Organisation.code,
    Study.study_instance_uid,
    Study.study_date,
    Study.study_time,
    Study.accession_number,
    Study.study_description,
    Study.referring_physician_name,
    Study.study_id_text,
    Study.modalities,
    Study.series_count,
    Study.instance_count,
    Patient.name,
    Patient.local_id,
    Patient.birth_date,
    Patient.sex,
)
_SERIES: Final = (
    Series.series_instance_uid,
    Series.modality,
    Series.series_number,
    Series.series_description,
    Series.body_part_examined,
    Series.laterality,
    Series.instance_count.label("series_instance_count"),
)
_INSTANCE: Final = (
    Instance.sop_instance_uid,
    Instance.sop_class_uid,
    Instance.instance_number,
    Instance.rows.label("rows_"),
    Instance.columns.label("columns_"),
    Instance.number_of_frames,
    Instance.transfer_syntax_uid,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results; `total` counts those of all pages."""

    results: list[JsonDataset]
    total: int


def run_search(
    session: Session,
    root: Root,
    level: Level,
    search: Search,
    *,
    base_url: str,
    study_id: UUID | None = None,
    series_id: int | None = None,
) -> Page:
    """Return a page of what `search` asks for, of what is seen under `root`; newest studies first.

    base_url: absolute address of the server, without a slash at its end, for Retrieve URLs.
    study_id, series_id: restrict the search to a study or series found for the caller.
    """
    within: list[Condition] = [root.sees(), *search.conditions]
    if study_id is not None:
        within.append(Study.id == study_id)
    if series_id is not None:
        within.append(Series.id == series_id)
    total = session.scalar(_joined(select(func.count()), level).where(*within)) or 0
    if total <= search.offset or search.limit == 0:
        return Page([], total)
    rows = session.execute(
        _joined(_columns(level), level)
        .where(*within)
        .order_by(*_order(level))
        .limit(search.limit)
        .offset(search.offset)
    ).all()
    return Page([_result(row, level, base_url) for row in rows], total)


def site_root(base_url: str, site_code: str) -> str:
    """Return the DICOMweb root of one site; below it no two studies share a UID."""
    return f"{base_url}/dicom-web/sites/{site_code}"


def _columns(level: Level) -> Select[*tuple[Any, ...]]:
    columns: list[Any] = [*_STUDY]
    if level >= Level.SERIES:
        columns += _SERIES
    if level >= Level.INSTANCE:
        columns += _INSTANCE
    return select(*columns)


def _joined(query: Select[*tuple[Any, ...]], level: Level) -> Select[*tuple[Any, ...]]:
    query = (
        query.select_from(Study)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Patient, Patient.id == Study.patient_id)
    )
    if level >= Level.SERIES:
        query = query.join(Series, Series.study_id == Study.id)
    if level >= Level.INSTANCE:
        query = query.join(Instance, Instance.series_id == Series.id)
    return query


def _order(level: Level) -> Sequence[Any]:
    order: list[Any] = [
        Study.study_date.desc().nulls_last(),
        Study.study_time.desc().nulls_last(),
        Study.id,
    ]
    if level >= Level.SERIES:
        order += [Series.series_number, Series.id]
    if level >= Level.INSTANCE:
        order += [Instance.instance_number, Instance.id]
    return order


def _result(row: Row[*tuple[Any, ...]], level: Level, base_url: str) -> JsonDataset:
    """Return the attributes of PS3.18 tables 10.6.3-3 to 10.6.3-5 that the index has, by tag."""
    url = f"{site_root(base_url, row.code)}/studies/{row.study_instance_uid}"
    result: JsonDataset = {
        "00080005": UNICODE,
        "00080020": text_attribute("DA", _da(row.study_date)),
        "00080030": text_attribute("TM", _tm(row.study_time)),
        "00080050": text_attribute("SH", row.accession_number),
        "00080056": _ONLINE,
        "00080061": text_attribute("CS", *row.modalities),
        "00080090": text_attribute("PN", row.referring_physician_name),
        "00081030": text_attribute("LO", row.study_description),
        "00100010": text_attribute("PN", row.name),
        "00100020": text_attribute("LO", row.local_id),
        "00100030": text_attribute("DA", _da(row.birth_date)),
        "00100040": text_attribute("CS", row.sex),
        "0020000D": text_attribute("UI", row.study_instance_uid),
        "00200010": text_attribute("SH", row.study_id_text),
        "00201206": number_attribute("IS", row.series_count),
        "00201208": number_attribute("IS", row.instance_count),
    }
    if level >= Level.SERIES:
        url = f"{url}/series/{row.series_instance_uid}"
        result |= {
            "00080060": text_attribute("CS", row.modality),
            "0008103E": text_attribute("LO", row.series_description),
            "00180015": text_attribute("CS", row.body_part_examined),
            "0020000E": text_attribute("UI", row.series_instance_uid),
            "00200011": number_attribute("IS", row.series_number),
            "00200060": text_attribute("CS", row.laterality),
            "00201209": number_attribute("IS", row.series_instance_count),
        }
    if level >= Level.INSTANCE:
        url = f"{url}/instances/{row.sop_instance_uid}"
        result |= {
            "00080016": text_attribute("UI", row.sop_class_uid),
            "00080018": text_attribute("UI", row.sop_instance_uid),
            "00083002": text_attribute("UI", row.transfer_syntax_uid),
            "00200013": number_attribute("IS", row.instance_number),
            "00280008": number_attribute("IS", row.number_of_frames),
            "00280010": number_attribute("US", row.rows_),
            "00280011": number_attribute("US", row.columns_),
        }
    result["00081190"] = text_attribute("UR", url)
    return dict(sorted(result.items()))


def _da(value: date | None) -> str | None:
    return None if value is None else value.isoformat().replace("-", "")


def _tm(value: time | None) -> str | None:
    return None if value is None else value.isoformat().replace(":", "")
