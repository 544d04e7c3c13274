"""What is told of the rows of a page: which attributes, and the query that reads them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Select, Subquery, literal, select

from storage.index.search.attributes import ATTRIBUTES, Attribute, Level
from storage.index.tables import Instance, Patient, Series, Study
from storage.registry import Organisation

_ALWAYS: Final = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def wanted_of(level: Level, returned: Iterable[str]) -> list[Attribute]:
    """Return the attributes to be told at a level: those named, and the unique keys."""
    from_attributes = set(returned)
    return [
        one
        for one in ATTRIBUTES.values()
        if one.level <= level
        and (one.keyword in from_attributes or one.keyword in _ALWAYS[one.level : level + 1])
    ]


def details(level: Level, page: Subquery, wanted: Sequence[Attribute]) -> Select[*tuple[Any, ...]]:
    """Select what is to be told of the rows of a page, in its order."""
    columns = [one.source.label(f"of_{one.keyword}") for one in wanted]
    if level is Level.PATIENT:
        return (
            select(literal(""), *columns)
            .select_from(page)
            .join(Patient, Patient.id == page.c.id)
            .order_by(page.c.id)
        )
    query: Select[*tuple[Any, ...]] = (
        select(Organisation.code, *columns)
        .select_from(page)
        .join(Study, Study.id == page.c.study_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Patient, Patient.id == Study.patient_id)
        .order_by(page.c.studied_at.desc(), page.c.study_id.desc())
    )
    if level >= Level.SERIES:
        query = query.join(Series, Series.id == page.c.series_id).order_by(
            page.c.series_number, page.c.series_id
        )
    if level >= Level.INSTANCE:
        query = query.join(Instance, Instance.id == page.c.instance_id).order_by(
            page.c.instance_number, page.c.instance_id
        )
    return query
