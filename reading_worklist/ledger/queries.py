"""The lines of the ledger: the portal's road with deliveries, openings, recalls and reasons."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.ledger import finding
from reading_worklist.ledger.finding import CAP, Place, Reason, Wanted
from reading_worklist.ledger.schemas import (
    EscalationView,
    Kept,
    LedgerDelivery,
    LedgerDetail,
    LedgerLine,
    LedgerPage,
    LedgerVersion,
    Opening,
    RecallRecipientView,
    StuckCount,
    StuckCounts,
    StuckReason,
)
from reading_worklist.ledger.stuck import Mender, Rule, Stuck, rules
from reading_worklist.portal import queries as portal
from reading_worklist.portal.finding import Found, resolve
from reading_worklist.portal.road import KeptFacts, Verdict, judge
from reading_worklist.portal.schemas import ExamView
from reading_worklist.problems import not_found
from reading_worklist.reports import queries as reports
from reading_worklist.reports.recall_clocks import RecallStep
from reading_worklist.reports.tables import (
    RecallEscalation,
    RecallRecipient,
    ReportOpening,
    ReportRecall,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.reports.version_queries import recipient_name
from reading_worklist.workitems.tables import Workitem
from storage.database import one_of
from storage.deliveries import Delivery
from storage.delivery_policy import deadlines_of
from storage.registry import Destination, Person
from storage.report_pulls import ReportPull


def newest(
    session: Session,
    scope: Scope,
    wanted: Wanted,
    now: datetime,
    *,
    after: Place | None,
    page_size: int,
) -> LedgerPage:
    """Return visible exams, the newest first, from behind `after`."""
    rows = finding.newest(session, scope, wanted, after=after, limit=page_size + 1)
    shown = rows[:page_size]
    more = shown[-1][1] if len(rows) > page_size else None
    return LedgerPage(
        items=_lines(session, scope, _table(session, scope), [found for found, _ in shown], now),
        next=f"{more.at.isoformat()}~{more.id}" if more else None,
        total=None,
    )


def stuck(
    session: Session,
    scope: Scope,
    wanted: Wanted,
    now: datetime,
    *,
    only: Stuck | None,
    offset: int,
    page_size: int,
) -> LedgerPage:
    """Return visible exams that are stuck, the longest first, from the `offset`-th on."""
    table = _table(session, scope)
    page = finding.stuck(
        session,
        scope,
        table,
        wanted,
        now,
        only=only,
        offset=offset,
        limit=page_size,
    )
    behind = offset + page_size
    return LedgerPage(
        items=_lines(session, scope, table, page.found, now, reasons=page.reasons),
        next=str(behind) if behind < page.total else None,
        total=page.total,
    )


def counts(session: Session, scope: Scope, wanted: Wanted, now: datetime) -> StuckCounts:
    """Return how many visible exams each rule stops."""
    table = _table(session, scope)
    found = finding.counts(session, scope, table, wanted, now)
    return StuckCounts(
        rules=[
            StuckCount(
                rule=rule,
                mender=table[rule].mender,
                limit_minutes=round(table[rule].limit.total_seconds() / 60),
                exams=found.get(rule, 0),
                more=found.get(rule, 0) >= CAP,
            )
            for rule in Stuck
        ]
    )


def detail(session: Session, scope: Scope, exam_id: UUID, now: datetime) -> LedgerDetail:
    """Return one line with everything behind it, by the id of its reading, order or study.

    Raises:
        Problem: 404 when there is no such exam or it is not visible.
    """
    found = resolve(session, scope, exam_id)
    lines = [] if found is None else _lines(session, scope, _table(session, scope), [found], now)
    if not lines:
        raise not_found("The exam")
    (line,) = lines
    item_id = line.workitem_id
    if item_id is None:
        return LedgerDetail(**line.model_dump(), versions=[], openings=[], recipients=[])
    line.deliveries = _deliveries(session, [item_id]).get(item_id, [])
    return LedgerDetail(
        **line.model_dump(),
        versions=[
            LedgerVersion(
                id=one.id,
                number=one.number,
                status=one.status,
                issued_at=one.issued_at,
                recalled=one.recall.kind if one.recall else None,
                recalled_at=one.recall.at if one.recall else None,
            )
            for one in reversed(reports.versions(session, item_id))
        ],
        openings=_openings(session, [item_id]).get(item_id, []),
        recipients=_recipients(session, item_id),
    )


def _table(session: Session, scope: Scope) -> Mapping[Stuck, Rule]:
    return rules(deadlines_of(session, scope.organisation_id))


def _lines(
    session: Session,
    scope: Scope,
    table: Mapping[Stuck, Rule],
    found: Sequence[Found],
    now: datetime,
    *,
    reasons: Mapping[Found, Sequence[Reason]] | None = None,
) -> list[LedgerLine]:
    """Return exams as lines, in their order, a few queries for all of them.

    reasons: why they are stuck, where that is known already.
    """
    views = portal.shown(session, found)
    item_ids = [view.workitem_id for view in views.values() if view.workitem_id is not None]
    if reasons is None:
        reasons = finding.reasons_of(session, scope, table, found, now)
    signed = _signed(session, item_ids)
    deliveries = _deliveries(session, item_ids)
    openings = _openings(session, item_ids)
    recalls = _recalls(session, item_ids)
    holders = _holders(session, [one for every in reasons.values() for one in every])
    lines: list[LedgerLine] = []
    for one in found:
        # An exam may have gone on between the two questions: then it is there the next time.
        view = views.get(one)
        if view is None:
            continue
        item_id = view.workitem_id
        made = deliveries.get(item_id, []) if item_id else []
        newest_number = max((each.version_number for each in made), default=0)
        told, untold = recalls.get(item_id, (0, 0)) if item_id else (0, 0)
        written_at, reviewed_at = signed.get(item_id, (None, None)) if item_id else (None, None)
        if view.steps.signed_at is not None:
            # A line tells of the newest version; the portal of when there was a report at all.
            view.steps.signed_at = reviewed_at
        lines.append(
            LedgerLine(
                **view.model_dump(),
                written_at=written_at,
                reviewed_at=reviewed_at,
                kept=_kept(view),
                deliveries=[each for each in made if each.version_number == newest_number],
                opened_by=_opened_by(view, openings.get(item_id, []) if item_id else []),
                recalls=told + untold,
                recalls_open=untold,
                stuck=[
                    _reason(each, table[each.rule].mender, made, holders)
                    for each in reasons.get(one, [])
                ],
            )
        )
    return lines


def _reason(
    reason: Reason,
    mender: Mender,
    deliveries: Collection[LedgerDelivery],
    holders: Mapping[UUID, tuple[str, int]],
) -> StuckReason:
    delivery = next((one for one in deliveries if one.id == reason.subject_id), None)
    holder, level = holders.get(reason.subject_id, (None, 0)) if reason.subject_id else (None, 0)
    return StuckReason(
        rule=reason.rule,
        since=reason.since,
        mender=Mender.DISPATCHER if level >= int(RecallStep.CENTRE) else mender,
        subject_id=reason.subject_id,
        destination=delivery.destination if delivery else None,
        said=delivery.last_error if delivery else None,
        holder=holder,
    )


def _kept(view: ExamView) -> Kept | None:
    study = view.study
    if study.instance_count == 0:
        return None
    verdict, _ = judge(
        KeptFacts(
            received=study.instance_count,
            expected=study.expected_count,
            missing=study.missing_count,
            receiving=view.steps.complete_at is None,
            attention=view.attention,
        )
    )
    if verdict is Verdict.NOT_YET:
        return Kept.NOT_YET
    counted = study.expected_count is not None and study.instance_count >= study.expected_count
    return Kept.COUNTED if counted else Kept.STORED


def _signed(
    session: Session, item_ids: Collection[UUID]
) -> dict[UUID, tuple[datetime | None, datetime | None]]:
    """Return by reading when the newest version was written, and when it was issued."""
    submitted = session.execute(
        select(Workitem.id, Workitem.submitted_at).where(one_of(Workitem.id, item_ids))
    ).all()
    issued = session.execute(
        select(ReportVersion.workitem_id, ReportSubmission.submitted_at, ReportVersion.issued_at)
        .join(ReportSubmission, ReportSubmission.id == ReportVersion.submission_id)
        .where(one_of(ReportVersion.workitem_id, item_ids))
        .order_by(ReportVersion.number)
    ).all()
    return {
        **{item_id: (written, None) for item_id, written in submitted},
        **{item_id: (written, at) for item_id, written, at in issued},
    }


def _deliveries(session: Session, item_ids: Collection[UUID]) -> dict[UUID, list[LedgerDelivery]]:
    """Return by reading every delivery, the newest version first, then by age."""
    rows = session.execute(
        select(Delivery, Destination)
        .join(Destination, Destination.id == Delivery.destination_id)
        .where(one_of(Delivery.workitem_id, item_ids))
        .order_by(Delivery.version_number.desc(), Delivery.is_notice.desc(), Delivery.created_at)
    )
    found: dict[UUID, list[LedgerDelivery]] = {}
    for one, destination in rows:
        found.setdefault(one.workitem_id, []).append(
            LedgerDelivery(
                id=one.id,
                destination=destination.label,
                kind=destination.kind,
                version_number=one.version_number,
                is_notice=one.is_notice,
                state=one.state,
                attempts=one.attempts,
                issued_at=one.issued_at,
                delivered_at=one.delivered_at,
                last_error=one.last_error,
            )
        )
    return found


def _openings(session: Session, item_ids: Collection[UUID]) -> dict[UUID, list[Opening]]:
    """Return by reading who has opened or fetched each version first, from the oldest on."""
    opened = session.execute(
        select(
            ReportVersion.workitem_id,
            ReportVersion.number,
            Person.display_name,
            ReportOpening.opened_at,
        )
        .join(ReportOpening, ReportOpening.report_version_id == ReportVersion.id)
        .join(Person, Person.id == ReportOpening.person_id)
        .where(one_of(ReportVersion.workitem_id, item_ids))
        .order_by(ReportOpening.opened_at)
    ).all()
    pulled = session.execute(
        select(
            ReportVersion.workitem_id,
            ReportVersion.number,
            ReportPull.machine,
            func.coalesce(ReportPull.taken_at, ReportPull.first_at),
        )
        .join(ReportPull, ReportPull.report_version_id == ReportVersion.id)
        .where(one_of(ReportVersion.workitem_id, item_ids), ReportPull.taken_at.is_not(None))
        .order_by(ReportPull.taken_at)
    ).all()
    seen: set[tuple[UUID, int, str]] = set()
    found: dict[UUID, list[Opening]] = {}
    for machine, rows in ((False, opened), (True, pulled)):
        for item_id, number, who, at in rows:
            if (item_id, number, who) in seen:
                continue
            seen.add((item_id, number, who))
            found.setdefault(item_id, []).append(
                Opening(who=who, machine=machine, version_number=number, at=at)
            )
    for openings in found.values():
        openings.sort(key=lambda one: one.at)
    return found


def _opened_by(view: ExamView, openings: Collection[Opening]) -> str | None:
    of_newest = [one for one in openings if one.version_number == view.report_version]
    return of_newest[0].who if of_newest else None


def _recalls(session: Session, item_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return by reading how many who have a version that does not stand know it, and do not."""
    rows = session.execute(
        select(ReportRecall.workitem_id, RecallRecipient.told_at)
        .join(RecallRecipient, RecallRecipient.report_version_id == ReportRecall.report_version_id)
        .where(one_of(ReportRecall.workitem_id, item_ids))
    )
    found: dict[UUID, tuple[int, int]] = {}
    for item_id, told_at in rows:
        told, untold = found.get(item_id, (0, 0))
        found[item_id] = (told + 1, untold) if told_at else (told, untold + 1)
    return found


def _holders(session: Session, reasons: Collection[Reason]) -> dict[UUID, tuple[str, int]]:
    """Return by recipient who has the recalled version, and how far the clock has told."""
    ids = [one.subject_id for one in reasons if one.rule is Stuck.RECALL and one.subject_id]
    if not ids:
        return {}
    rows = session.execute(
        select(RecallRecipient, Person, Destination)
        .join(Person, Person.id == RecallRecipient.person_id, isouter=True)
        .join(Destination, Destination.id == RecallRecipient.destination_id, isouter=True)
        .where(one_of(RecallRecipient.id, ids))
    )
    return {one.id: (recipient_name(one, who, to), one.level) for one, who, to in rows}


_Recorder: Final = aliased(Person)


def _recipients(session: Session, item_id: UUID) -> list[RecallRecipientView]:
    """Return who has a version of an exam that does not stand; who does not know comes first."""
    rows = session.execute(
        select(RecallRecipient, ReportRecall, ReportVersion, Person, Destination, _Recorder)
        .join(ReportRecall, ReportRecall.report_version_id == RecallRecipient.report_version_id)
        .join(ReportVersion, ReportVersion.id == ReportRecall.report_version_id)
        .join(Person, Person.id == RecallRecipient.person_id, isouter=True)
        .join(Destination, Destination.id == RecallRecipient.destination_id, isouter=True)
        .join(_Recorder, _Recorder.id == RecallRecipient.acknowledged_by, isouter=True)
        .where(ReportRecall.workitem_id == item_id)
        .order_by(RecallRecipient.told_at.is_not(None), ReportRecall.recalled_at.desc())
    ).all()
    steps: dict[UUID, list[EscalationView]] = {}
    for one in session.scalars(
        select(RecallEscalation)
        .where(one_of(RecallEscalation.recipient_id, [row[0].id for row in rows]))
        .order_by(RecallEscalation.step)
    ):
        steps.setdefault(one.recipient_id, []).append(
            EscalationView(
                step=one.step,
                at=one.at,
                contact_name=one.contact_name,
                contact_phone=one.contact_phone,
            )
        )
    return [
        RecallRecipientView(
            id=one.id,
            who=recipient_name(one, who, to),
            machine=one.person_id is None,
            version_number=version.number,
            kind=recall.kind,
            reason=recall.reason,
            recalled_at=recall.recalled_at,
            received_at=one.received_at,
            told_at=one.told_at,
            acknowledged_name=one.acknowledged_name,
            acknowledged_role=one.acknowledged_role,
            # Who says it for himself needs nobody to take it down.
            taken_down_by=by.display_name
            if by and by.display_name != one.acknowledged_name
            else None,
            level=one.level,
            next_at=one.next_at,
            escalations=steps.get(one.id, []),
        )
        for one, recall, version, who, to, by in rows
    ]
