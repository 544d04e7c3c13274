"""Routing against a real database: clocks, roster, rules, trials, assignment, escalation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.identity.arrival import order_changed, study_received
from reading_worklist.problems import Problem
from reading_worklist.routing import assignment, escalation, groups, roster, rulesets, settings
from reading_worklist.routing import service as routing
from reading_worklist.routing.clocks import DEFAULTS, Clock
from reading_worklist.routing.rules import Conditions, Outcome, Rule
from reading_worklist.routing.schemas import DutyBody, GroupBody, RulesetBody
from reading_worklist.routing.settings import ClockBody
from reading_worklist.routing.tables import RoutingRuleset
from reading_worklist.workitems import service as workitems
from reading_worklist.workitems.lane import Lane
from reading_worklist.workitems.routed import Stage
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Study
from storage.messages import OrderChanged
from storage.orders.words import Priority, VisitType
from storage.registry import Role, add_person
from tests.support.orders import order_request, placed
from tests.support.scopes import scope_of
from tests.support.seed import Consortium, password_hash, received

LEASE = timedelta(minutes=15)


@pytest.fixture
def admin(database: Database, consortium: Consortium) -> Scope:
    with database.transaction() as session:
        add_person(
            session,
            "admin",
            "马管理",
            password_hash(),
            organisation=consortium.root,
            roles=(Role.CONSORTIUM_ADMIN, Role.DISPATCHER),
        )
    return scope_of(database, "admin")


def arrived(database: Database, study: Study) -> Workitem:
    with database.transaction() as session:
        study_received(session, received(study))
    with database.transaction() as session:
        return session.scalars(select(Workitem).where(Workitem.study_id == study.id)).one()


def reloaded(database: Database, item: Workitem) -> Workitem:
    with database.transaction() as session:
        return session.get_one(Workitem, item.id)


def audited(database: Database, action: str) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).where(AuditRecord.action == action)) or 0


def on_duty(session: Session, admin: Scope, person_id: UUID, group: str | None = None) -> None:
    roster.add(
        session,
        admin,
        DutyBody(
            person_id=person_id,
            lane=Lane.IMAGING,
            group=group,
            starts_at=utc_now() - timedelta(hours=1),
            ends_at=utc_now() + timedelta(hours=8),
        ),
    )


def grouped(session: Session, admin: Scope, code: str) -> None:
    groups.set_group(
        session, admin, code, GroupBody(name="神经组", name_en="Neuro", lane=Lane.IMAGING)
    )


def switched_on(session: Session, admin: Scope, *rules: Rule) -> int:
    version = rulesets.make(session, admin, RulesetBody(rules=list(rules)))
    rulesets.switch_on(session, admin, version)
    return version


def test_an_inpatients_ct_is_due_by_working_hours_and_its_order_may_make_it_urgent(
    database: Database, consortium: Consortium
) -> None:
    order = placed(database, order_request(consortium.east, visit_type=VisitType.INPATIENT))
    study = consortium.complete_study(accession_number=order.accession_number)
    item = arrived(database, study)
    assert (item.clock, item.priority) == (Clock.INPATIENT_CT_MR, Priority.ROUTINE)
    assert item.due_at >= item.queued_at + timedelta(hours=6)
    assert item.warn_at == item.due_at - timedelta(minutes=30)
    with database.transaction() as session:
        session.merge(order).priority = Priority.STAT
    changed = OrderChanged(order_id=order.id, site_id=order.site_id, revision=9)
    for _ in range(2):
        with database.transaction() as session:
            order_changed(session, changed)
    again = reloaded(database, item)
    limit = DEFAULTS[Clock.INPATIENT_CT_MR, Priority.STAT]
    assert (again.priority, again.urgency) == (Priority.STAT, 0)
    assert again.due_at == study.first_received_at + limit.due
    assert again.claim_due_at == again.queued_at + timedelta(minutes=5)
    assert audited(database, "workitem:route") == 2


def test_a_clock_is_set_for_the_consortium_or_a_site_up_to_the_national_limit(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    def minutes(site: object) -> int:
        assert isinstance(site, UUID)
        with database.transaction() as session:
            limit = settings.clocks_of(session, site).limit(Clock.CT_MR, Priority.ROUTINE)
        return int(limit.due.total_seconds()) // 60

    body = ClockBody(due_minutes=180, warn_minutes=20, claim_minutes=45)
    with database.transaction() as session:
        settings.set_clock(session, admin, Clock.CT_MR, Priority.ROUTINE, body)
        settings.set_clock(
            session,
            admin,
            Clock.CT_MR,
            Priority.ROUTINE,
            body.model_copy(update={"site": "EAST", "due_minutes": 90}),
        )
    assert (minutes(consortium.east.id), minutes(consortium.west.id)) == (90, 180)
    item = arrived(database, consortium.complete_study())
    assert item.due_at == item.queued_at + timedelta(minutes=90)
    with database.transaction() as session:
        settings.reset_clock(session, admin, Clock.CT_MR, Priority.ROUTINE, "EAST")
    assert minutes(consortium.east.id) == 180
    refused: list[tuple[str, Callable[[Session], None]]] = [
        (
            "above-limit",
            lambda session: settings.set_clock(
                session,
                admin,
                Clock.CT_MR,
                Priority.STAT,
                ClockBody(due_minutes=121, claim_minutes=5),
            ),
        ),
        (
            "above-limit",
            lambda session: settings.set_clock(
                session,
                admin,
                Clock.ECG,
                Priority.STAT,
                ClockBody(due_minutes=10, claim_minutes=5, working=True),
            ),
        ),
        (
            "forbidden",
            lambda session: settings.set_clock(
                session, scope_of(database, "writer"), Clock.ECG, Priority.STAT, body
            ),
        ),
    ]
    for code, act in refused:
        with pytest.raises(Problem) as problem, database.transaction() as session:
            act(session)
        assert problem.value.code == code


def test_a_rule_routes_only_while_it_is_switched_on_and_the_workitem_says_which_did(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    rule = Rule(
        name="头部",
        when=Conditions(sites=["EAST"], modalities=["CT"]),
        then=Outcome(group="neuro", priority=Priority.URGENT),
    )
    with database.transaction() as session:
        grouped(session, admin, "neuro")
        version = rulesets.make(session, admin, RulesetBody(rules=[rule]))
    before = arrived(database, consortium.complete_study())
    with database.transaction() as session:
        rulesets.switch_on(session, admin, version)
    item = arrived(database, consortium.complete_study())
    with database.transaction() as session:
        group = next(one for one in groups.groups(session, admin) if one.code == "neuro")
        ruleset = session.scalars(select(RoutingRuleset)).one()
    assert (before.ruleset_id, before.group_id, before.rule) == (None, None, None)
    assert (item.ruleset_id, item.rule, item.group_id) == (ruleset.id, "头部", group.id)
    assert item.priority is Priority.URGENT
    with database.transaction() as session:
        rulesets.switch_off(session, admin)
    elsewhere = arrived(database, consortium.complete_study(site=consortium.west))
    assert elsewhere.rule is None


def test_a_version_is_tried_on_past_studies_and_changes_nothing(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    items = [
        arrived(database, consortium.complete_study(site=site))
        for site in (consortium.east, consortium.east, consortium.west)
    ]
    with database.transaction() as session:
        version = rulesets.make(
            session,
            admin,
            RulesetBody(
                rules=[
                    Rule(
                        name="东河",
                        when=Conditions(sites=["EAST"]),
                        then=Outcome(priority=Priority.URGENT),
                    ),
                    Rule(name="never", when=Conditions(modalities=["PX"])),
                ]
            ),
        )
    with database.transaction() as session:
        tried = rulesets.try_out(session, admin, version, 30)
    assert (tried.examined, tried.complete, tried.moved) == (3, True, 2)
    assert tried.by_rule == {"东河": 2, "never": 0}
    assert {one.workitem_id for one in tried.studies} == {items[0].id, items[1].id}
    assert {(one.before.priority, one.after.priority) for one in tried.studies} == {
        (Priority.ROUTINE, Priority.URGENT)
    }
    assert [reloaded(database, item).revision for item in items] == [i.revision for i in items]
    with database.transaction() as session:
        rulesets.switch_on(session, admin, version)
    with database.transaction() as session:
        assert rulesets.try_out(session, admin, version, 30).moved == 0


def test_rules_that_do_not_fit_are_refused_and_a_version_never_changes(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    for rules in (
        [Rule(name="a", when=Conditions(sites=["NOWHERE"]))],
        [Rule(name="a", then=Outcome(group="nobody"))],
        [Rule(name="a"), Rule(name="a")],
    ):
        with pytest.raises(Problem) as problem, database.transaction() as session:
            rulesets.make(session, admin, RulesetBody(rules=rules))
        assert problem.value.code == "invalid-rules"
    with database.transaction() as session:
        version = switched_on(session, admin, Rule(name="a"))
    with pytest.raises(Problem) as problem, database.transaction() as session:
        rulesets.switch_on(session, admin, version)
    assert problem.value.code == "already-on"
    with pytest.raises(IntegrityError, match="does not change"), database.transaction() as session:
        session.execute(text("UPDATE routing_ruleset SET rules = '[]'"))


def test_a_rule_gives_work_to_whoever_is_on_duty_for_its_group_with_the_least_to_do(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    people = consortium.people
    rule = Rule(name="all", then=Outcome(group="neuro", assign=True))
    with database.transaction() as session:
        grouped(session, admin, "neuro")
        switched_on(session, admin, rule)
    nobody = arrived(database, consortium.complete_study())
    assert nobody.assignee_id is None
    with database.transaction() as session:
        on_duty(session, admin, people["reviewer"].id)
    general = arrived(database, consortium.complete_study())
    assert general.assignee_id == people["reviewer"].id
    with database.transaction() as session:
        on_duty(session, admin, people["writer"].id, "neuro")
        on_duty(session, admin, people["writer2"].id, "neuro")
    shared = [arrived(database, consortium.complete_study()).assignee_id for _ in range(4)]
    assert sorted(map(str, shared)) == sorted(
        str(people[login].id) for login in ("writer", "writer", "writer2", "writer2")
    )
    assert audited(database, "workitem:assign") == 5


def test_a_dispatcher_assigns_what_waits_to_whom_may_do_it(
    database: Database, consortium: Consortium
) -> None:
    dispatcher = scope_of(database, "dispatcher")
    workitem_id = consortium.queued_study().workitem_id
    writer = consortium.people["writer"].id
    with database.transaction() as session:
        item = assignment.assign(session, dispatcher, workitem_id, writer)
        assert (item.assignee_id, item.assigned_for) == (writer, Stage.WRITING)
    for person, code in ((consortium.people["doctor-east"].id, "not-found"),):
        with pytest.raises(Problem) as problem, database.transaction() as session:
            assignment.assign(session, dispatcher, workitem_id, person)
        assert problem.value.code == code
    with pytest.raises(Problem, match="Your role"), database.transaction() as session:
        assignment.assign(session, scope_of(database, "writer"), workitem_id, None)
    other = scope_of(database, "writer2")
    with database.transaction() as session:
        workitems.claim(session, other, workitem_id, LEASE)
    with pytest.raises(Problem) as problem, database.transaction() as session:
        assignment.assign(session, dispatcher, workitem_id, writer)
    assert problem.value.code == "wrong-state"


def test_the_next_one_is_the_most_urgent_that_is_for_me(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    writer, other = scope_of(database, "writer"), scope_of(database, "writer2")
    ids = [consortium.queued_study().workitem_id for _ in range(3)]
    with database.transaction() as session:
        session.execute(
            update(Workitem).where(Workitem.id == ids[2]).values(priority=Priority.STAT)
        )
        assignment.assign(session, admin, ids[0], other.person_id)
    claimed = []
    for _ in range(3):
        with database.transaction() as session:
            found = assignment.claim_next(session, writer, None, LEASE)
            claimed.append(found.id if found else None)
    assert claimed == [ids[2], ids[1], None]
    with database.transaction() as session:
        mine = assignment.claim_next(session, other, Lane.IMAGING, LEASE)
        assert mine is not None
        assert (mine.id, mine.state) == (ids[0], State.CLAIMED)


def test_of_many_who_ask_for_the_next_one_each_gets_another(
    database: Database, consortium: Consortium
) -> None:
    ids = {consortium.queued_study().workitem_id for _ in range(6)}
    scopes = [scope_of(database, login) for login in ("writer", "writer2", "reviewer")] * 2

    def ask(scope: Scope) -> UUID | None:
        with database.transaction() as session:
            found = assignment.claim_next(session, scope, None, LEASE)
            return found.id if found else None

    with ThreadPoolExecutor(len(scopes)) as pool:
        assert set(pool.map(ask, scopes)) == ids


def test_what_nobody_claims_and_what_is_late_is_marked_once(
    database: Database, consortium: Consortium
) -> None:
    def at(item: Workitem, **times: datetime) -> None:
        with database.transaction() as session:
            session.execute(update(Workitem).where(Workitem.id == item.id).values(**times))

    past, future = utc_now() - timedelta(seconds=1), utc_now() + timedelta(hours=1)
    unclaimed, claimed, late, fine = (
        arrived(database, consortium.complete_study()) for _ in range(4)
    )
    at(unclaimed, claim_due_at=past)
    at(claimed, claim_due_at=past)
    at(late, claim_due_at=future, due_at=past)
    with database.transaction() as session:
        workitems.claim(session, scope_of(database, "writer"), claimed.id, LEASE)
    for expected in (2, 0):
        with database.transaction() as session:
            assert escalation.escalate(session) == expected
    marks = {
        item.id: (again.escalated_at is not None, again.overdue_at is not None)
        for item in (unclaimed, claimed, late, fine)
        for again in (reloaded(database, item),)
    }
    assert marks == {
        unclaimed.id: (True, False),
        claimed.id: (False, False),
        late.id: (False, True),
        fine.id: (False, False),
    }
    assert audited(database, "workitem:escalate") == audited(database, "workitem:overdue") == 1


def test_late_images_flag_a_signed_report_and_change_nothing_of_its_place(
    database: Database, consortium: Consortium
) -> None:
    study = consortium.complete_study()
    item = arrived(database, study)
    writer = scope_of(database, "writer")
    with database.transaction() as session:
        workitems.claim(session, writer, item.id, LEASE)
    nobody = {"holder_id": None, "lease_until": None}
    held = {"holder_id": writer.person_id, "lease_until": utc_now()}
    for state, holder in (
        (State.WRITTEN, nobody),
        (State.REVIEWING, held),
        (State.FINAL, nobody),
        (State.PUBLISHED, nobody),
    ):
        with database.transaction() as session:
            session.execute(
                update(Workitem).where(Workitem.id == item.id).values(state=state, **holder)
            )
    before = reloaded(database, item)
    with database.transaction() as session:
        study_received(
            session, received(study).model_copy(update={"generation": 2, "instance_count": 9})
        )
    after = reloaded(database, item)
    assert (after.late_instances, after.state) == (True, State.PUBLISHED)
    assert (after.due_at, after.clock, after.lane) == (before.due_at, before.clock, before.lane)


def test_the_clock_of_a_reading_that_is_done_again_starts_again(
    database: Database, consortium: Consortium
) -> None:
    item = arrived(database, consortium.complete_study())
    past = utc_now() - timedelta(days=3)
    with database.transaction() as session:
        session.execute(
            update(Workitem).values(due_at=past, overdue_at=past, escalated_at=past, queued_at=past)
        )
    with database.transaction() as session:
        routing.start_again(session, session.get_one(Workitem, item.id))
    again = reloaded(database, item)
    assert again.due_at > utc_now()
    assert again.claim_due_at is not None
    assert (again.overdue_at, again.escalated_at) == (None, None)
    assert again.warn_at == again.due_at - DEFAULTS[Clock.CT_MR, Priority.ROUTINE].warn


def test_the_roster_has_readers_of_the_consortium_and_its_past_stays(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    writer = consortium.people["writer"].id
    now = utc_now()
    with database.transaction() as session:
        on_duty(session, admin, writer)
        past = roster.add(
            session,
            admin,
            DutyBody(
                person_id=writer,
                lane=Lane.ECG,
                starts_at=now - timedelta(days=2),
                ends_at=now - timedelta(days=1),
            ),
        )
    with database.transaction() as session:
        shown = roster.shown(session, scope_of(database, "reviewer"), now, now + timedelta(days=1))
        assert [(one.person.id, one.lane, one.group) for one in shown] == [
            (writer, Lane.IMAGING, None)
        ]
        roster.cancel(session, admin, shown[0].id)
    with database.transaction() as session:
        assert roster.shown(session, admin, now, now + timedelta(days=1)) == []
    with pytest.raises(Problem) as problem, database.transaction() as session:
        roster.cancel(session, admin, past.id)
    assert problem.value.code == "duty-over"
    with pytest.raises(Problem) as problem, database.transaction() as session:
        on_duty(session, admin, consortium.people["doctor-east"].id)
    assert problem.value.code == "not-found"
