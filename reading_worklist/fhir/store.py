"""Reports of one site as FHIR resources, read from what was issued to it.

Every query has the site of the machine that asks in its conditions: what is another site's is not
found, as if it did not exist.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from reading_worklist.fhir.parameters import (
    Between,
    Condition,
    Cursor,
    OwnIds,
    References,
    Search,
    Tokens,
    Words,
)
from storage.database import one_of
from storage.fhir.elements import Element, instant
from storage.fhir.identities import Ids, Systems
from storage.fhir.mapping import Told, tell
from storage.fhir.reports import Pdf, version_id
from storage.issued_feed.tables import IssuedFeedEntry, IssuedResource
from storage.issued_reports import IssuedReport, read_many

_TELLING: Final = frozenset(
    {"DiagnosticReport", "Observation", "DocumentReference", "Binary", "Provenance"}
)
"""Types that tell something of one version; whoever reads one has read of that report."""

_COUNTED_MAX: Final = 10_000

_VERSIONED: Final = _TELLING
"""Types of which only what the standing version tells is found by a search."""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, and where it comes from.

    resource: None where its version does not tell it any more.
    """

    kind: str
    id: UUID
    position: int
    at: datetime
    report_version_id: UUID
    is_current: bool
    resource: Element | None

    @property
    def tells(self) -> bool:
        """Whether whoever gets it has got something of the report."""
        return self.kind in _TELLING and self.resource is not None


@dataclass(frozen=True, slots=True)
class Page:
    """Resources in their order; next: where the following page begins, None at the end."""

    found: list[Found]
    included: list[Found]
    next: Cursor | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A way through the feed.

    after: from behind a position on, the oldest first; None: the newest first, from before a
    position where `before` is given. since: nothing from before this time.
    """

    count: int
    after: int | None = None
    before: int | None = None
    since: datetime | None = None


class Store:
    """What was issued to one site.

    base: the address under which the interface is reached, without a slash at its end.
    """

    def __init__(self, session: Session, site_id: UUID, base: str) -> None:
        self.session = session
        self.site_id = site_id
        self.base = base
        self._told: dict[int, tuple[IssuedFeedEntry, IssuedReport, Told]] = {}

    def read(self, kind: str, resource_id: UUID) -> Found | None:
        """Return a resource as it was told last; None when there is none of this site."""
        position = self.session.scalar(
            select(IssuedResource.position).where(
                IssuedResource.site_id == self.site_id,
                IssuedResource.kind == kind,
                IssuedResource.resource_id == resource_id,
            )
        )
        if position is None:
            return None
        self._load({position})
        return self._found(kind, resource_id, position)

    def report_of(self, found: Found) -> IssuedReport:
        """Return the report that a resource was found in."""
        return self._told[found.position][1]

    def history(self, report_id: UUID) -> list[Found]:
        """Return every version of a report by its DiagnosticReport's id, the newest first."""
        newest = self.read("DiagnosticReport", report_id)
        if newest is None:
            return []
        workitem_id = self._told[newest.position][0].workitem_id
        positions = self.session.scalars(
            select(IssuedFeedEntry.position)
            .where(
                IssuedFeedEntry.site_id == self.site_id,
                IssuedFeedEntry.workitem_id == workitem_id,
            )
            .order_by(IssuedFeedEntry.rank.desc())
        ).all()
        self._load(set(positions))
        return [self._found("DiagnosticReport", report_id, one) for one in positions]

    def feed(self, walk: Walk) -> tuple[list[Found], bool]:
        """Return a stretch of what was issued, and whether more follows in that direction.

        Each report once and as its version said; what came after its successor is left out.
        """
        query = select(IssuedFeedEntry.position).where(
            IssuedFeedEntry.site_id == self.site_id, ~IssuedFeedEntry.is_late
        )
        if walk.since is not None:
            query = query.where(IssuedFeedEntry.at >= walk.since)
        position = IssuedFeedEntry.position
        if walk.after is not None:
            query = query.where(position > walk.after).order_by(position)
        else:
            query = query.order_by(position.desc())
            if walk.before is not None:
                query = query.where(position < walk.before)
        rows = self.session.scalars(query.limit(walk.count + 1)).all()
        positions = rows[: walk.count]
        self._load(set(positions))
        found = [
            self._found("DiagnosticReport", self._told[one][2].ids.report, one) for one in positions
        ]
        return found, len(rows) > walk.count

    def search(self, search: Search) -> Page:
        """Return a page of a search, and on its first page how many match, up to ten thousand."""
        matching = self._matching(search)
        if search.counts_only:
            return Page([], [], None, self._count(matching))
        total = self._counted(matching, search) if search.cursor is None else None
        rows = self.session.execute(self._in_order(matching, search)).all()
        more, rows = len(rows) > search.count, rows[: search.count]
        self._load({row.position for row in rows})
        found = [self._found(search.kind, row.resource_id, row.position) for row in rows]
        last = Cursor(rows[-1].position, rows[-1].resource_id) if more else None
        return Page(found, self._included(found, search.include), last, total)

    def _matching(self, search: Search) -> Select[int, UUID]:
        query = (
            select(IssuedResource.position, IssuedResource.resource_id)
            .join(
                IssuedFeedEntry,
                and_(
                    IssuedFeedEntry.site_id == IssuedResource.site_id,
                    IssuedFeedEntry.position == IssuedResource.position,
                ),
            )
            .where(
                IssuedResource.site_id == self.site_id,
                IssuedFeedEntry.site_id == self.site_id,
                IssuedResource.kind == search.kind,
                *(part for one in search.conditions for part in _sql(one)),
            )
        )
        if search.kind in _VERSIONED:
            query = query.where(IssuedFeedEntry.is_current)
        return query

    def _count(self, matching: Select[int, UUID]) -> int:
        return self.session.scalar(select(func.count()).select_from(matching.subquery())) or 0

    def _counted(self, matching: Select[int, UUID], search: Search) -> int | None:
        """Return how many match; None of very many, unless they shall be counted."""
        if search.counts_all:
            return self._count(matching)
        total = self._count(matching.limit(_COUNTED_MAX + 1))
        return total if total <= _COUNTED_MAX else None

    def _in_order(self, matching: Select[int, UUID], search: Search) -> Select[int, UUID]:
        place = tuple_(IssuedResource.position, IssuedResource.resource_id)
        if search.cursor is not None:
            behind = tuple_(literal(search.cursor.position), literal(search.cursor.resource_id))
            matching = matching.where(place < behind if search.newest_first else place > behind)
        order = (IssuedResource.position, IssuedResource.resource_id)
        if search.newest_first:
            return matching.order_by(*(one.desc() for one in order)).limit(search.count + 1)
        return matching.order_by(*order).limit(search.count + 1)

    def _included(self, found: Sequence[Found], kinds: Collection[str]) -> list[Found]:
        """Return what the matches refer to, each once and as it was told last."""
        if not kinds:
            return []
        matched = {(one.kind, one.id) for one in found}
        wanted: dict[tuple[str, UUID], None] = {}
        for one in found:
            for name in _references(one.resource):
                kind, _, text = name.partition("/")
                if kind in kinds and (kind, UUID(text)) not in matched:
                    wanted[kind, UUID(text)] = None
        rows = self.session.execute(
            select(IssuedResource.kind, IssuedResource.resource_id, IssuedResource.position).where(
                IssuedResource.site_id == self.site_id,
                one_of(IssuedResource.resource_id, {one for _, one in wanted}),
            )
        ).all()
        places = {(row.kind, row.resource_id): row.position for row in rows}
        self._load({places[one] for one in wanted if one in places})
        included = [
            self._found(kind, one, places[kind, one])
            for kind, one in wanted
            if (kind, one) in places
        ]
        return [one for one in included if one.resource is not None]

    def _load(self, positions: Collection[int]) -> None:
        missing = sorted(set(positions) - self._told.keys())
        if not missing:
            return
        entries = self.session.scalars(
            select(IssuedFeedEntry).where(
                IssuedFeedEntry.site_id == self.site_id, IssuedFeedEntry.position.in_(missing)
            )
        ).all()
        reports = read_many(self.session, [one.report_version_id for one in entries])
        for entry in entries:
            report = reports[entry.report_version_id]
            self._told[entry.position] = entry, report, self._tell(entry, report)

    def _tell(self, entry: IssuedFeedEntry, report: IssuedReport) -> Told:
        systems = Systems.of_site(self.site_id)
        if entry.is_current:
            return tell(report, systems, Pdf(url=f"{self.base}/Binary/{Ids.of(report).binary}"))
        # Nobody is led to the paper of a version that does not stand.
        return tell(report, systems, superseded=True)

    def _found(self, kind: str, resource_id: UUID, position: int) -> Found:
        entry, report, told = self._told[position]
        resource = told.resources.get((kind, resource_id))
        if resource is not None:
            meta = dict(resource.get("meta", {}))
            number = version_id(report) if kind in _TELLING else str(position)
            resource = {
                "resourceType": kind,
                "id": resource["id"],
                "meta": {"versionId": number, "lastUpdated": instant(entry.at), **meta},
                **{name: value for name, value in resource.items() if name != "meta"},
            }
        return Found(
            kind,
            resource_id,
            position,
            entry.at,
            entry.report_version_id,
            entry.is_current,
            resource,
        )


def _references(value: Any) -> list[str]:  # noqa: ANN401 -- any JSON value
    """Return every relative reference inside of a resource."""
    if isinstance(value, list):
        return [one for part in cast("list[Any]", value) for one in _references(part)]
    if not isinstance(value, dict):
        return []
    members = cast("Element", value)
    named = members.get("reference")
    own = [named] if isinstance(named, str) and "/" in named else []
    return own + [one for part in members.values() for one in _references(part)]


def _sql(condition: Condition) -> list[ColumnElement[bool]]:
    match condition:
        case OwnIds():
            return [one_of(IssuedResource.resource_id, condition.ids)]
        case References():
            return [one_of(getattr(IssuedFeedEntry, condition.column), condition.ids)]
        case Words():
            return [getattr(IssuedFeedEntry, condition.column).in_(condition.words)]
        case Between():
            return [_between(condition)]
        case Tokens():
            wanted = literal(list(condition.terms), ARRAY(String))
            # The report's terms have those of all that is told of it, and an index.
            found: list[ColumnElement[bool]] = [IssuedFeedEntry.terms.bool_op("&&")(wanted)]
            return [*found, IssuedResource.terms.bool_op("&&")(wanted)] if condition.own else found


def _between(condition: Between) -> ColumnElement[bool]:
    column = getattr(IssuedFeedEntry, condition.column)
    inside = [
        *([column >= condition.begins] if condition.begins else []),
        *([column < condition.ends] if condition.ends else []),
    ]
    if not condition.outside:
        return and_(*inside)
    return or_(*(~one for one in inside))
