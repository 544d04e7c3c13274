"""Searches of the index: the matching, ordering, paging and counting of QIDO-RS and C-FIND."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Subquery, Uuid, func, literal, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.index.search import values
from storage.index.search.attributes import ATTRIBUTES, Attribute, Level, Matching
from storage.index.search.by_name import ByName, studies_by_name
from storage.index.search.conditions import Condition, condition, is_empty, studied_between
from storage.index.search.names import NameMatch, patient_name_matches
from storage.index.search.told import details, wanted_of
from storage.index.tables import Instance, Patient, Series, Study, StudyListing

COUNTED_MAX: Final = 10_000
"""Results are counted exactly up to here; of more it is only known that there are more."""
COUNTED_MAX_BY_ATTRIBUTES: Final = 200
"""The same where more than date, one modality and site is asked for, and rows have to be read."""

Sees: TypeAlias = Callable[[InstrumentedAttribute[UUID]], ColumnElement[bool]]
"""Gives the SQL condition that a column of site ids is visible to whoever searches."""

_EMPTY: Final = '""'
_EVERY_STUDY: Final = ""
_PLANNED_FOR_ITS_VALUES: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")


@dataclass(frozen=True, slots=True)
class Key:
    """A matching key: the keyword of an attribute, and the value as text.

    Several values are separated by backslashes; for UIDs and code strings by commas as well. An
    empty value, or "*" alone, matches everything (universal matching).
    """

    keyword: str
    value: str


@dataclass(frozen=True, slots=True)
class Options:
    """How keys are matched.

    fuzzy: fuzzy semantic matching of patient names: pinyin, initials, order of the name.
    combined_datetime: Study Date and Study Time, both ranges of the same form, are one range.
    empty_values: a key of two quotation marks matches what has no value.
    """

    fuzzy: bool = False
    combined_datetime: bool = False
    empty_values: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """Matching keys understood; made by `prepare`.

    unsupported: keywords of keys that were passed over, since the index does not match on them at
        this level, in their order.
    conditions: with the level of the entity that each is about.
    name: where studies are asked for by one name that keys help with, it, and then `conditions`
        has what else is asked for, all of it about patients.
    listed: conditions on `StudyListing`.
    modality: under which `StudyListing` has every result.
    """

    level: Level
    unsupported: tuple[str, ...]
    conditions: tuple[tuple[Level, Condition], ...]
    name: NameMatch | None
    listed: tuple[Condition, ...]
    modality: str

    @property
    def every(self) -> Sequence[tuple[Level, Condition]]:
        """Every condition that is not on the listing, the name's with the others."""
        if self.name is None:
            return self.conditions
        return (*self.conditions, (Level.PATIENT, self.name.condition))


@dataclass(frozen=True, slots=True)
class Within:
    """The study, series or few studies in which to search; found for the searcher before."""

    study_id: UUID | None = None
    series_id: int | None = None
    study_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """How many results there are on all pages: `count`, or where not `exact`, at least so many."""

    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One result.

    site_code: of the site it belongs to; empty for a patient.
    values: by keyword, of what was asked for: str, int, date, time, a list of str, or None. The
        unique keys of the level and of those above it are always there.
    """

    site_code: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of results, newest studies first.

    more: whether there are results after it.
    total: None where it was not asked for.
    """

    matches: list[Match] = field(default_factory=list[Match])
    more: bool = False
    total: Total | None = None


def prepare(keys: Iterable[Key], level: Level, options: Options) -> Search:
    """Return the search at `level` for what matches all `keys`.

    A key of a level above is matched on its entity (relational query); one of a level below, and
    one of an attribute that the index does not match on, is passed over and named in the result.

    Raises:
        InvalidKey: a value that its attribute cannot be matched with.
    """
    gathered = _Gathered(level, options)
    for key in keys:
        gathered.take(key)
    return gathered.search()


class _Gathered:
    """What the keys of one search have come to so far."""

    def __init__(self, level: Level, options: Options) -> None:
        self._level = level
        self._options = options
        self._unsupported: list[str] = []
        self._conditions: list[tuple[Level, Condition]] = []
        self._name: NameMatch | None = None
        self._dates: str | None = None
        self._times: str | None = None
        self._modality = _EVERY_STUDY

    def take(self, key: Key) -> None:
        attribute = ATTRIBUTES.get(key.keyword)
        text = values.checked(key.keyword, key.value)
        universal = not text.strip("*")
        if (
            attribute is None
            or attribute.level > self._level
            or attribute.matching is Matching.NONE
        ):
            if not universal:
                self._unsupported.append(key.keyword)
        elif self._options.empty_values and text == _EMPTY:
            self._conditions.append((attribute.level, is_empty(attribute)))
        elif not universal and not self._listed(attribute, text):
            self._add(attribute, text)

    def search(self) -> Search:
        dates, times = self._dates, self._times
        combined = bool(
            self._options.combined_datetime and dates and times and values.same_form(dates, times)
        )
        if times is not None and not combined:
            self._add(ATTRIBUTES["StudyTime"], times)
        listed = studied_between(dates, times if combined else None)
        name = self._name
        if name is not None and any(level > Level.PATIENT for level, _ in self._conditions):
            self._conditions.append((Level.PATIENT, name.condition))
            name = None
        return Search(
            self._level,
            tuple(self._unsupported),
            tuple(self._conditions),
            name,
            tuple(listed),
            self._modality,
        )

    def _listed(self, attribute: Attribute, text: str) -> bool:
        """Keep what the listing answers by itself, or may; True when it does."""
        if attribute.keyword == "StudyDate" and self._dates is None:
            self._dates = text
            return True
        if attribute.keyword == "StudyTime" and self._times is None:
            self._times = text
            return True
        if attribute.keyword in ("ModalitiesInStudy", "Modality") and not self._modality:
            self._modality = _one_word(attribute, text)
            # Of a series' own Modality it only follows that its study is listed under it.
            return bool(self._modality) and attribute.keyword == "ModalitiesInStudy"
        return False

    def _add(self, attribute: Attribute, text: str) -> None:
        if (
            attribute.matching is Matching.PATIENT_NAME
            and self._level is Level.STUDY
            and self._name is None
            and "\\" not in text
        ):
            name = patient_name_matches(text, fuzzy=self._options.fuzzy)
            if name.lookup is not None:
                self._name = name
                return
        made = condition(attribute, text, fuzzy=self._options.fuzzy)
        self._conditions.append((attribute.level, made))


def run(
    session: Session,
    search: Search,
    *,
    sees: Sees,
    returned: Iterable[str],
    limit: int,
    offset: int = 0,
    within: Within = Within(),
    count: bool = True,
) -> Page:
    """Return a page of the results of `search` among what `sees` lets through.

    Studies are ordered by date and time, the newest first and those without a date last; series
    and instances of a study by their numbers; patients by id. The order is total, so pages do not
    overlap unless something arrives between them.

    returned: keywords of the attributes wanted; those the index does not know, and those of
        levels below, are not returned.
    count: whether the total is wanted: exact up to `COUNTED_MAX`.
    """
    # How a name or a range is best looked for depends on which it is.
    session.execute(_PLANNED_FOR_ITS_VALUES)
    anywhere = within.study_ids is None
    if search.name is not None and anywhere and 0 < limit <= COUNTED_MAX_BY_ATTRIBUTES - offset:
        by_name = ByName(
            search.name,
            [one for _, one in search.conditions],
            _on_listing(search, sees),
        )
        wanted = wanted_of(search.level, returned)
        return _by_name(session, by_name, wanted, limit=limit, offset=offset, count=count)
    listing = _of_patients if search.level is Level.PATIENT else _of_studies
    found = listing(search, sees, within)
    page = found.order_by(*_order(search.level)).limit(limit + 1).offset(offset).subquery("page")
    wanted = wanted_of(search.level, returned)
    found_here: list[Match] = []
    if limit:
        found_here = _matches(session, search.level, page, wanted)
    matches = found_here[:limit]
    more = len(found_here) > limit
    seen = offset + len(matches)
    if not count:
        return Page(matches, more)
    if limit and not more and (matches or not offset):
        return Page(matches, more, Total(seen, exact=True))
    listed_only = search.level is Level.STUDY and not search.every
    counted_max = COUNTED_MAX if listed_only else COUNTED_MAX_BY_ATTRIBUTES
    if more and seen >= counted_max:
        return Page(matches, more, Total(seen + 1, exact=False))
    return Page(matches, more, _total(session, found, counted_max))


def _by_name(
    session: Session,
    by_name: ByName,
    wanted: Sequence[Attribute],
    *,
    limit: int,
    offset: int,
    count: bool,
) -> Page:
    """Return a page of studies found by name: it and the total come from the same search."""
    end = offset + limit
    ids = studies_by_name(session, by_name, (COUNTED_MAX_BY_ATTRIBUTES if count else end) + 1)
    page = (
        select(StudyListing.studied_at, StudyListing.study_id)
        .where(
            StudyListing.study_id == func.any(literal(ids[offset:end], ARRAY(Uuid))),
            StudyListing.modality == _EVERY_STUDY,
        )
        .subquery("page")
    )
    matches = _matches(session, Level.STUDY, page, wanted) if ids[offset:end] else []
    total = Total(len(ids), exact=len(ids) <= COUNTED_MAX_BY_ATTRIBUTES) if count else None
    return Page(matches, len(ids) > end, total)


def _matches(
    session: Session, level: Level, page: Subquery, wanted: Sequence[Attribute]
) -> list[Match]:
    keywords = [one.keyword for one in wanted]
    return [
        Match(row[0], dict(zip(keywords, row[1:], strict=True)))
        for row in session.execute(details(level, page, wanted))
    ]


def _on_listing(search: Search, sees: Sees) -> list[Condition]:
    """Return every condition on the listing."""
    return [
        sees(StudyListing.site_id),
        StudyListing.modality == search.modality,
        *search.listed,
    ]


def _total(session: Session, found: Select[*tuple[Any, ...]], counted_max: int) -> Total:
    """Count all results, but no further than is useful."""
    bounded = found.limit(counted_max + 1).subquery("counted")
    counted = session.scalar(select(func.count()).select_from(bounded)) or 0
    return Total(counted, exact=counted <= counted_max)


def _one_word(attribute: Attribute, text: str) -> str:
    """Return the code string that a key asks for; empty when it is a pattern or a list."""
    listed = values.listed(attribute.keyword, text, "\\,")
    if len(listed) > 1 or values.has_wildcard(text):
        return _EVERY_STUDY
    return listed[0].upper() if attribute.matching is Matching.MODALITIES else listed[0]


def _of_patients(search: Search, sees: Sees, within: Within) -> Select[*tuple[Any, ...]]:
    del within
    return select(Patient.id).where(
        sees(Patient.site_id),
        *(one for _, one in search.every),
    )


def _of_studies(search: Search, sees: Sees, within: Within) -> Select[*tuple[Any, ...]]:
    """Select the ids of what matches, joining no more tables than the conditions need.

    Where nothing but date, modality and site is asked for, that is the listing alone.
    """
    level = search.level
    levels = {of for of, _ in search.every}
    columns: list[Any] = [StudyListing.studied_at, StudyListing.study_id]
    conditions = [*_on_listing(search, sees), *(one for _, one in search.every)]
    if level >= Level.SERIES:
        columns += [Series.series_number, Series.id.label("series_id")]
    if level >= Level.INSTANCE:
        columns += [Instance.instance_number, Instance.id.label("instance_id")]
    query: Select[*tuple[Any, ...]] = select(*columns).select_from(StudyListing)
    if Level.STUDY in levels:
        query = query.join(Study, Study.id == StudyListing.study_id)
    if Level.PATIENT in levels:
        query = query.join(Patient, Patient.id == StudyListing.patient_id)
    if level >= Level.SERIES:
        query = query.join(Series, Series.study_id == StudyListing.study_id)
    if level >= Level.INSTANCE:
        query = query.join(Instance, Instance.series_id == Series.id)
        conditions.append(sees(Instance.site_id))
    if within.study_id is not None:
        conditions.append(StudyListing.study_id == within.study_id)
    if within.series_id is not None:
        conditions.append(Series.id == within.series_id)
    if within.study_ids is not None:
        conditions.append(StudyListing.study_id.in_(within.study_ids))
    return query.where(*conditions)


def _order(level: Level) -> Sequence[Any]:
    if level is Level.PATIENT:
        return [Patient.id]
    order: list[Any] = [StudyListing.studied_at.desc(), StudyListing.study_id.desc()]
    if level >= Level.SERIES:
        order += [Series.series_number, Series.id]
    if level >= Level.INSTANCE:
        order += [Instance.instance_number, Instance.id]
    return order
