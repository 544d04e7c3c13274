"""Studies by their patient's name, the newest first.

How best to look depends on how common the name is, and the planner cannot tell: it knows neither
beginnings of keys nor that a name may be common at one site only. A name of one patient in fifty
was looked for by reading all twelve thousand of them. So it is found out by looking: first among
the newest studies, in their order, which finds a page of what is common at once; and only what is
rare there is looked up among all patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import Session

from storage.index.search.names import NameMatch
from storage.index.tables import Patient, StudyListing

NEWEST: Final = 4_000
"""Studies among which a name is looked for first: some milliseconds."""
MORE: Final = 28_000
"""Studies among which it is looked for where that promises to be enough: some twenty."""

_ORDER: Final = (StudyListing.studied_at.desc(), StudyListing.study_id.desc())


@dataclass(frozen=True, slots=True)
class ByName:
    """A search for studies by name.

    patients: further conditions on `Patient`.
    listed: every condition on `StudyListing`, with that of its site.
    """

    name: NameMatch
    patients: Sequence[ColumnElement[bool]]
    listed: Sequence[ColumnElement[bool]]


def studies_by_name(session: Session, search: ByName, needed: int) -> list[UUID]:
    """Return the ids of the newest `needed` studies that match, or of all when they are fewer."""
    found = _ids(session, _among_newest(search, NEWEST), needed)
    if len(found) == needed or not _has_more(session, search, NEWEST):
        return found
    if len(found) * MORE >= needed * NEWEST:
        found = _ids(session, _among_newest(search, MORE), needed)
        if len(found) == needed or not _has_more(session, search, MORE):
            return found
    return _ids(session, _of_patients(search), needed)


def _ids(session: Session, found: Select[UUID], needed: int) -> list[UUID]:
    return list(session.scalars(found.limit(needed)))


def _among_newest(search: ByName, count: int) -> Select[UUID]:
    """Select what matches among the `count` newest studies that the listing has.

    Of a limited subquery the planner can make nothing else than what is meant.
    """
    newest = (
        select(
            StudyListing.studied_at,
            StudyListing.study_id,
            StudyListing.patient_id,
            StudyListing.name_vector,
        )
        .where(*search.listed)
        .order_by(*_ORDER)
        .limit(count)
        .subquery("newest")
    )
    query: Select[UUID] = (
        select(newest.c.study_id)
        .where(search.name.among(newest.c.name_vector))
        .order_by(newest.c.studied_at.desc(), newest.c.study_id.desc())
    )
    exact: list[Any] = [] if search.name.exact is None else [search.name.exact]
    if exact or search.patients:
        query = query.join(Patient, Patient.id == newest.c.patient_id).where(
            *exact, *search.patients
        )
    return query


def _has_more(session: Session, search: ByName, count: int) -> bool:
    query = select(StudyListing.study_id).where(*search.listed).order_by(*_ORDER)
    return session.scalar(query.offset(count).limit(1)) is not None


def _of_patients(search: ByName) -> Select[UUID]:
    """Select what matches by way of the index of names, and of each patient that of studies.

    The offset of nothing keeps the two from being joined as the planner likes: where it expects
    too many patients it reads the whole listing for them. The site is asked of the listing alone:
    beside the wall's same question of the patients the planner takes both for two and reads the
    index of sites for all of them, which was half of such a search among 600,000.
    """
    patient = (
        select(Patient.id)
        .where(search.name.condition, *search.patients)
        .cte("named")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    study = (
        select(StudyListing.studied_at, StudyListing.study_id)
        .where(StudyListing.patient_id == patient.c.id, *search.listed)
        .offset(0)
        .lateral("study")
    )
    return (
        select(study.c.study_id)
        .select_from(patient)
        .join(study, true())
        .order_by(study.c.studied_at.desc(), study.c.study_id.desc())
    )
