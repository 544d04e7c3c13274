"""What the index knows, for one caller: every query here is scoped by `Scope.sees_images`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.access.scope import Scope
from reading_worklist.priors.grants import Granted
from reading_worklist.problems import Problem, not_found
from storage.identifiers import Uid
from storage.identity.overlay import Overlay, overlay_of, was_decided
from storage.index.tables import Instance, Series, Study, StudyState
from storage.registry import Organisation, OrganisationKind

_AMBIGUOUS_ROWS: Final = 2
_INSTANCE_COLUMNS: Final[tuple[InstrumentedAttribute[Any], ...]] = (
    Instance.id,
    Organisation.code,
    Study.study_instance_uid,
    Series.series_instance_uid,
    Instance.sop_instance_uid,
    Instance.sop_class_uid,
    Instance.transfer_syntax_uid,
    Instance.object_key,
    Instance.object_size,
    Instance.dataset_sha256,
    Instance.dataset_offset,
    Instance.pixel_data_offset,
)

_SERIES_COLUMNS: Final[tuple[InstrumentedAttribute[Any], ...]] = (
    Series.id,
    Series.series_instance_uid,
    Series.revision,
)
_SERIES_ORDER: Final = (Series.series_number, Series.series_instance_uid)
_NAMED_STUDY: Final = Study.study_instance_uid == bindparam("study")
_NAMED_SERIES: Final = and_(
    Series.study_id == Study.id, Series.series_instance_uid == bindparam("series")
)
_KEPT_QUERIES: Final = 128

Reading: TypeAlias = Session | Connection
"""What a query can be asked of."""


@dataclass(frozen=True, slots=True)
class Root:
    """What one caller sees under a DICOMweb root: of a site, of a reading, or the common one.

    reading: what lies under the root of a reading; of no other study that root tells anything.
    """

    scope: Scope
    site_code: str | None = None
    reading: Granted | None = None

    def sees(self) -> ColumnElement[bool]:
        """Return the SQL condition on `Study` and its `Organisation` for what is visible."""
        if self.reading is not None:
            return Study.id.in_(self.reading.study_ids)
        condition = self.scope.sees_images(Study.site_id)
        if self.site_code is None:
            return condition
        return and_(condition, Organisation.code == self.site_code)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study, and whether instances of it are still expected.

    overlay: what people decided about its patient; None when what its header says holds.
    """

    id: UUID
    site_code: str
    study_instance_uid: str
    complete: bool
    overlay: Overlay | None = None


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A series; `revision` changes with every instance added to it.

    overlay: of its study.
    """

    id: int
    site_code: str
    study_instance_uid: str
    series_instance_uid: str
    revision: int
    complete: bool
    overlay: Overlay | None = None


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance and where its bytes are; see `storage.index.tables.Instance`."""

    id: int
    site_code: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    object_key: str
    object_size: int
    dataset_sha256: str
    dataset_offset: int
    pixel_data_offset: int | None


def require_site(session: Session, root: Root) -> UUID | None:
    """Return the site of `root` when it is visible to its caller; None under the common root.

    Raises:
        Problem: 404, the same for a foreign and for an unknown site.
    """
    if root.site_code is None:
        return None
    query = select(Organisation.id).where(
        Organisation.code == root.site_code,
        Organisation.kind == OrganisationKind.SITE,
        root.scope.sees_images(Organisation.id),
    )
    site_id = session.scalar(query)
    if site_id is None:
        raise not_found("The site")
    return site_id


def find_study(session: Reading, root: Root, study: Uid) -> StudyRecord:
    """Return a study.

    Raises:
        Problem: 404 when the caller sees none, 409 when several of its sites have it.
    """
    rows = session.execute(_study_query(root), {"study": study}).all()
    return _study_of(session, _the_only(rows, "The study"))


def find_study_with_series(
    session: Reading, root: Root, study: Uid
) -> tuple[StudyRecord, list[SeriesRecord]]:
    """Return a study and its series by series number, in one query.

    Raises:
        Problem: as for `find_study`.
    """
    rows = session.execute(_study_and_series_query(root), {"study": study}).all()
    first_of_each = {row[0]: row for row in reversed(rows)}
    found = _study_of(session, _the_only(list(first_of_each.values()), "The study"))
    return found, [_series_of(found, *row[5:]) for row in rows if row[5] is not None]


def find_series(session: Reading, root: Root, study: Uid, series: Uid) -> SeriesRecord:
    """Return a series of a study.

    Raises:
        Problem: 404 when the caller sees none, 409 when several of its sites have the study.
    """
    rows = session.execute(_series_query(root), {"study": study, "series": series}).all()
    row = _the_only(rows, "The series")
    overlay = _overlay(session, row[7]) if row[6] else None
    return SeriesRecord(
        row[0], row[1], row[2], row[3], row[4], row[5] == StudyState.COMPLETE, overlay
    )


def find_instance(
    session: Reading, root: Root, study: Uid, series: Uid, instance: Uid
) -> InstanceRecord:
    """Return an instance of a series.

    Raises:
        Problem: 404 when the caller sees none, 409 when several of its sites have the study.
    """
    named = {"study": study, "series": series, "instance": instance}
    rows = session.execute(_instance_query(root), named).all()
    return InstanceRecord(*_the_only(rows, "The instance"))


def series_of_study(session: Session, study: StudyRecord) -> list[SeriesRecord]:
    """Return the series of a study that was found for the caller, by series number."""
    rows = session.execute(
        select(*_SERIES_COLUMNS).where(Series.study_id == study.id).order_by(*_SERIES_ORDER)
    )
    return [_series_of(study, *row) for row in rows]


def complete_study(session: Session, study_id: UUID) -> StudyRecord | None:
    """Return a study for the system itself, which sees all sites; None unless it is complete."""
    row = session.execute(
        select(Study.id, Organisation.code, Study.study_instance_uid)
        .join(Organisation, Organisation.id == Study.site_id)
        .where(Study.id == study_id, Study.state == StudyState.COMPLETE)
    ).one_or_none()
    if row is None:
        return None
    return StudyRecord(row[0], row[1], row[2], complete=True, overlay=overlay_of(session, row[0]))


def is_current(session: Session, series: SeriesRecord) -> bool:
    """Tell whether a series found for the caller is as it was found: its revision, its overlay."""
    row = session.execute(
        select(Series.revision, Series.study_id).where(Series.id == series.id)
    ).one_or_none()
    if row is None:
        return False
    return row[0] == series.revision and overlay_of(session, row[1]) == series.overlay


def instances_of_study(session: Reading, study: StudyRecord) -> list[InstanceRecord]:
    """Return the instances of a study found for the caller, by series and instance number."""
    return _instances(session, Instance.study_id == study.id)


def instances_of_series(session: Reading, series: SeriesRecord) -> list[InstanceRecord]:
    """Return the instances of a series that was found for the caller, by instance number."""
    return _instances(session, Instance.series_id == series.id)


@lru_cache(_KEPT_QUERIES)
def _study_query(root: Root) -> Select[*tuple[Any, ...]]:
    """Return the query for the study `study`.

    Made once for each caller, as making it takes longer than PostgreSQL takes to answer it: what
    `Root.sees` says may depend on the root alone, never on the moment.
    """
    return (
        select(
            Study.id,
            Organisation.code,
            Study.study_instance_uid,
            Study.state,
            was_decided(Study.id),
        )
        .join(Organisation, Organisation.id == Study.site_id)
        .where(_NAMED_STUDY, root.sees())
        .limit(_AMBIGUOUS_ROWS)
    )


@lru_cache(_KEPT_QUERIES)
def _study_and_series_query(root: Root) -> Select[*tuple[Any, ...]]:
    """Return the query for the study `study` and its series; kept as `_study_query`."""
    return (
        select(
            Study.id,
            Organisation.code,
            Study.study_instance_uid,
            Study.state,
            was_decided(Study.id),
            *_SERIES_COLUMNS,
        )
        .select_from(Study)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Series, Series.study_id == Study.id, isouter=True)
        .where(_NAMED_STUDY, root.sees())
        .order_by(*_SERIES_ORDER)
    )


@lru_cache(_KEPT_QUERIES)
def _series_query(root: Root) -> Select[*tuple[Any, ...]]:
    """Return the query for the series `series` of `study`; kept as `_study_query`."""
    return (
        select(
            Series.id,
            Organisation.code,
            Study.study_instance_uid,
            Series.series_instance_uid,
            Series.revision,
            Study.state,
            was_decided(Study.id),
            Study.id,
        )
        .select_from(Study)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Series, _NAMED_SERIES, isouter=True)
        .where(_NAMED_STUDY, root.sees())
        .limit(_AMBIGUOUS_ROWS)
    )


@lru_cache(_KEPT_QUERIES)
def _instance_query(root: Root) -> Select[*tuple[Any, ...]]:
    """Return the query for `instance` of `series` of `study`; kept as `_study_query`."""
    return (
        select(*_INSTANCE_COLUMNS)
        .select_from(Study)
        .join(Organisation, Organisation.id == Study.site_id)
        .join(Series, _NAMED_SERIES, isouter=True)
        .join(
            Instance,
            and_(
                Instance.series_id == Series.id,
                Instance.sop_instance_uid == bindparam("instance"),
            ),
            isouter=True,
        )
        .where(_NAMED_STUDY, root.sees())
        .limit(_AMBIGUOUS_ROWS)
    )


def _study_of(session: Reading, row: Sequence[Any]) -> StudyRecord:
    overlay = _overlay(session, row[0]) if row[4] else None
    return StudyRecord(row[0], row[1], row[2], row[3] == StudyState.COMPLETE, overlay)


def _overlay(session: Reading, study_id: UUID) -> Overlay | None:
    """Return the overlay of a study about which something was decided."""
    if isinstance(session, Session):
        return overlay_of(session, study_id)
    with Session(session) as of_connection:
        return overlay_of(of_connection, study_id)


def _series_of(study: StudyRecord, pk: int, uid: str, revision: int) -> SeriesRecord:
    return SeriesRecord(
        pk,
        study.site_code,
        study.study_instance_uid,
        uid,
        revision,
        study.complete,
        study.overlay,
    )


def _instances(session: Reading, condition: ColumnElement[bool]) -> list[InstanceRecord]:
    rows = session.execute(
        select(*_INSTANCE_COLUMNS)
        .select_from(Instance)
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Instance.study_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .where(condition)
        .order_by(*_SERIES_ORDER, Instance.instance_number, Instance.sop_instance_uid)
    )
    return [InstanceRecord(*row) for row in rows]


def _the_only(rows: Sequence[Sequence[Any]], what: str) -> Sequence[Any]:
    """Return the row of the one study found; its first column tells whether the thing is there."""
    if len(rows) > 1:
        raise Problem(
            HTTPStatus.CONFLICT,
            "ambiguous-study",
            "More than one site has a study with this Study Instance UID",
            remedy="Ask under the root of the site: /dicom-web/sites/{site code}/studies/…",
        )
    if not rows or rows[0][0] is None:
        raise not_found(what)
    return rows[0]
