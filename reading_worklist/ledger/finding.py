"""Which exams are stuck and which are the newest, within the scope of who asks.

The rules of `where` find what is stuck anywhere, each bounded, and what is wrong with the exams of
a page: one truth for the list, its counts and its lines.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    Select,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.access.scope import Scope
from reading_worklist.ledger import where
from reading_worklist.ledger.stuck import Rule, Stuck
from reading_worklist.ledger.where import Ask, SiteColumn
from reading_worklist.orders.queries import order_called
from reading_worklist.portal.finding import Found, Kind, on_its_way
from reading_worklist.workitems.tables import Workitem
from storage.database import one_of
from storage.index.search import patient_name_begins
from storage.index.tables import Patient, Study
from storage.orders.states import ExamState
from storage.orders.tables import AWAITED, Order, StudyOrder
from storage.orders.words import OrderSource

CAP: Final = 1000
"""Of each rule no more are looked at; a page says that there are more."""
_MATCHES: Final = 200


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an exam is stuck. subject_id: of the delivery or the recall's recipient, if any."""

    rule: Stuck
    since: datetime
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; None is everything.

    site_id: only this site. text: the beginning of a patient id, an accession number or a name.
    """

    site_id: UUID | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which exam the next page begins."""

    at: datetime
    id: UUID


def reasons_of(
    session: Session,
    scope: Scope,
    table: Mapping[Stuck, Rule],
    found: Collection[Found],
    now: datetime,
) -> dict[Found, list[Reason]]:
    """Return by exam why it is stuck, in the order of the road; only those that are."""
    ids = {kind: [one.id for one in found if one.kind is kind] for kind in Kind}
    parts = [
        part(Ask(scope.sees, now, now - table[rule].limit, ids[where.KINDS[rule]]))
        for rule, made in where.PARTS.items()
        if ids[where.KINDS[rule]]
        for part in made
    ]
    if not parts:
        return {}
    return _by_exam(
        (Found(Kind(kind), exam_id), Reason(Stuck(rule), since, subject))
        for kind, exam_id, rule, since, subject in session.execute(union_all(*parts))
    )


def _by_exam(rows: Iterable[tuple[Found, Reason]]) -> dict[Found, list[Reason]]:
    order = list(Stuck)
    result: dict[Found, list[Reason]] = {}
    for found, reason in sorted(rows, key=lambda row: (order.index(row[1].rule), row[1].since)):
        result.setdefault(found, []).append(reason)
    return result


@dataclass(frozen=True, slots=True)
class StuckPage:
    """Exams that are stuck, in their order. total: how many there are, not only on this page.

    reasons: by exam; None: they have to be asked for with `reasons_of`.
    """

    found: list[Found]
    total: int
    reasons: dict[Found, list[Reason]] | None


def stuck(
    session: Session,
    scope: Scope,
    table: Mapping[Stuck, Rule],
    wanted: Wanted,
    now: datetime,
    *,
    only: Stuck | None = None,
    offset: int = 0,
    limit: int,
) -> StuckPage:
    """Return visible exams that are stuck, the longest first.

    At most `CAP` of each rule are looked at. What a page shows is found by the same reading of the
    rules, unless one of them was cut at `CAP` or only one was asked for.
    """
    rows = (
        _all(scope, table, wanted, now, only)
        .cte("stuck")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    exams = (
        select(rows.c.kind, rows.c.id, func.min(rows.c.since).label("since"))
        .group_by(rows.c.kind, rows.c.id)
        .subquery()
    )
    page = (
        select(exams.c.kind, exams.c.id, exams.c.since, func.count().over().label("total"))
        .order_by(exams.c.since, exams.c.id)
        .offset(offset)
        .limit(limit)
        .subquery()
    )
    by_rule = select(func.count().label("number")).select_from(rows).group_by(rows.c.rule)
    most = select(func.max(by_rule.subquery().c.number)).scalar_subquery()
    shown = session.execute(
        select(
            page.c.kind, page.c.id, page.c.total, rows.c.rule, rows.c.since, rows.c.subject, most
        )
        .join(rows, (rows.c.kind == page.c.kind) & (rows.c.id == page.c.id))
        .order_by(page.c.since, page.c.id)
    ).all()
    if not shown:
        return StuckPage([], 0, {})
    total, number = shown[0][2], shown[0][6]
    reasons = _by_exam(
        (Found(Kind(kind), exam_id), Reason(Stuck(rule), since, subject))
        for kind, exam_id, _, rule, since, subject, _ in shown
    )
    found = list(dict.fromkeys(Found(Kind(row[0]), row[1]) for row in shown))
    is_whole = only is None and number < CAP
    return StuckPage(found, total, reasons if is_whole else None)


def counts(
    session: Session, scope: Scope, table: Mapping[Stuck, Rule], wanted: Wanted, now: datetime
) -> dict[Stuck, int]:
    """Return how many visible exams are stuck by each rule; `CAP` stands for that many or more."""
    rows = _all(scope, table, wanted, now, None).subquery()
    counted = session.execute(
        select(rows.c.rule, func.count(rows.c.id.distinct())).group_by(rows.c.rule)
    ).all()
    return {Stuck(rule): number for rule, number in counted}


def newest(
    session: Session, scope: Scope, wanted: Wanted, *, after: Place | None, limit: int
) -> list[tuple[Found, Place]]:
    """Return visible exams, the newest first, each with its place in that order.

    An exam is a reading as soon as its study is complete; before, it is its order, or a study that
    is on its way and that no order asked for.
    """

    def part(
        kind: Kind,
        exam_id: InstrumentedAttribute[UUID],
        at: InstrumentedAttribute[datetime],
        site_id: SiteColumn,
    ) -> Select[str, UUID, datetime]:
        query = select(literal(kind.value).label("kind"), exam_id.label("id"), at.label("at"))
        query = query.where(_sees(scope, wanted, site_id))
        if after is not None:
            query = query.where(tuple_(at, exam_id) < tuple_(after.at, after.id))
        return query.order_by(at.desc(), exam_id.desc()).limit(limit)

    queued = select(Workitem.id).where(Workitem.study_id == Study.id).exists()
    asked = select(Order.id).where(
        Order.source != OrderSource.HEADER, Order.state != ExamState.CANCELLED, on_its_way()
    )
    linked = select(StudyOrder.order_id).where(StudyOrder.order_id == Order.id).exists()
    readings = part(Kind.READING, Workitem.id, Workitem.queued_at, Workitem.site_id)
    # What awaits nothing any more and has no study was cancelled, or is asked about at the desk.
    orders = part(Kind.ORDER, Order.id, Order.requested_at, Order.site_id).where(
        literal_column(f"exam_order.{AWAITED}"), Order.source != OrderSource.HEADER, ~linked
    )
    studies = part(Kind.STUDY, Study.id, Study.first_received_at, Study.site_id).where(
        literal_column("study.state = 'RECEIVING'"), ~queued, ~asked.correlate(Study).exists()
    )
    if wanted.text:
        # Asked for first: a planner that sees the ids looks them up, and else might walk through
        # all exams in their order until it has met enough that fit.
        study_ids = session.scalars(_matching(scope, wanted, wanted.text)).all()
        order_ids = session.scalars(_matching_orders(scope, wanted, wanted.text)).all()
        readings = readings.where(one_of(Workitem.study_id, study_ids))
        studies = studies.where(one_of(Study.id, study_ids))
        orders = orders.where(one_of(Order.id, order_ids))
    exams = union_all(*(select(one.subquery()) for one in (readings, orders, studies))).subquery()
    rows = session.execute(
        select(exams.c.kind, exams.c.id, exams.c.at)
        .order_by(exams.c.at.desc(), exams.c.id.desc())
        .limit(limit)
    ).all()
    return [(Found(Kind(kind), exam_id), Place(at, exam_id)) for kind, exam_id, at in rows]


def _all(
    scope: Scope,
    table: Mapping[Stuck, Rule],
    wanted: Wanted,
    now: datetime,
    only: Stuck | None,
) -> CompoundSelect[str, UUID, str, datetime, UUID]:
    def sees(site_id: SiteColumn):  # noqa: ANN202 -- as `Scope.sees`
        return _sees(scope, wanted, site_id)

    parts = [
        part(Ask(sees, now, now - table[rule].limit, None)).order_by("since").limit(CAP)
        for rule, made in where.PARTS.items()
        if only in {None, rule}
        for part in made
    ]
    return union_all(*(select(one.subquery()) for one in parts))


def _sees(scope: Scope, wanted: Wanted, site_id: SiteColumn):  # noqa: ANN202 -- as `Scope.sees`
    visible = scope.sees(site_id)
    return visible if wanted.site_id is None else visible & (site_id == wanted.site_id)


def _matching(scope: Scope, wanted: Wanted, text: str) -> CompoundSelect[UUID]:
    """Return the studies that a text means, some hundreds at most, each way by its index."""
    words = {text, text.upper()}
    of_patient = select(Study.id).join(Patient, Patient.id == Study.patient_id)
    ways = (
        select(Study.id).where(
            or_(*(Study.accession_number.startswith(one, autoescape=True) for one in words))
        ),
        of_patient.where(
            or_(*(Patient.local_id.startswith(one, autoescape=True) for one in words))
        ),
        of_patient.where(patient_name_begins(text)),
    )
    return union(
        *(
            select(one.where(_sees(scope, wanted, Study.site_id)).limit(_MATCHES).subquery())
            for one in ways
        )
    )


def _matching_orders(scope: Scope, wanted: Wanted, text: str) -> CompoundSelect[UUID]:
    """Return the orders that a text means; by name only those that still await their images."""
    words = [text, text.upper()]
    ways = (
        Order.accession_number.in_(words),
        Order.patient_local_id.in_(words),
        literal_column(f"exam_order.{AWAITED}") & order_called(text),
    )
    return union(
        *(
            select(
                select(Order.id)
                .where(_sees(scope, wanted, Order.site_id), one)
                .limit(_MATCHES)
                .subquery()
            )
            for one in ways
        )
    )
