"""Earlier studies from every site: agreements, links, a reason once, and the audit trail."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from reading_worklist.access.scope import Scope
from reading_worklist.agreements import service as agreements
from reading_worklist.agreements.schemas import AgreementBody, LinkBody
from reading_worklist.priors import service
from reading_worklist.priors.schemas import Basis, Priors, ReasonBody
from reading_worklist.priors.tables import PriorAccess, Purpose
from reading_worklist.problems import Problem
from storage.agreements.tables import Agreement, Service
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Patient, Study
from storage.orders.tables import Order
from storage.orders.words import DocumentKind
from storage.patient_links import links
from storage.patient_links.links import LinkRefused
from storage.registry import Role, add_person
from tests.support.orders import order_request, placed
from tests.support.scopes import scope_of
from tests.support.seed import Consortium, QueuedStudy

SHIFT = timedelta(hours=12)
RESIDENT_ID = "11010519491231002X"


@pytest.fixture
def admin(database: Database, consortium: Consortium) -> Scope:
    with database.transaction() as session:
        add_person(
            session,
            "admin",
            "马管理",
            "x",
            organisation=consortium.root,
            roles=(Role.CONSORTIUM_ADMIN,),
        )
    return scope_of(database, "admin")


def priors(database: Database, item: QueuedStudy, login: str = "writer") -> Priors:
    with database.transaction() as session:
        return service.shown(session, scope_of(database, login), item.workitem_id)


def agree(database: Database, admin: Scope, **values: object) -> None:
    body = AgreementBody.model_validate(
        {
            "service": Service.PRIORS,
            "provider": "county",
            "client": "county",
            "valid_from": date(2026, 1, 1),
            "document": "协议 2026-1",
            **values,
        }
    )
    with database.transaction() as session:
        agreements.make(session, admin, body)


def link(database: Database, *studies: Study, undo: bool = False) -> None:
    one, other = studies
    body = LinkBody(patient_id=one.patient_id, other_id=other.patient_id, reason="电话核实")
    with database.transaction() as session:
        agreements.link_patients(session, scope_of(database, "dispatcher"), body, undo=undo)


def audited(database: Database, action: str) -> Sequence[AuditRecord]:
    with database.transaction() as session:
        return session.scalars(select(AuditRecord).where(AuditRecord.action == action)).all()


def refusal(database: Database, item: QueuedStudy, study: Study, login: str = "writer") -> str:
    with pytest.raises(Problem) as problem, database.transaction() as session:
        service.open_prior(session, scope_of(database, login), item.workitem_id, study.id)
    return problem.value.code


def test_studies_of_the_own_site_need_no_reason_and_their_opening_is_recorded(
    database: Database, consortium: Consortium
) -> None:
    earlier = consortium.queued_study(modalities=("MR",))
    now = consortium.queued_study()
    consortium.queued_study(local_id="P002", name="Li^Na=李^娜")
    found = priors(database, now)
    assert [(one.study_id, one.basis, one.same_modality) for one in found.items] == [
        (earlier.study.id, Basis.PATIENT, False)
    ]
    assert (found.elsewhere, found.reason_needed) == (0, False)
    with database.transaction() as session:
        opened = service.open_prior(
            session, scope_of(database, "writer"), now.workitem_id, earlier.study.id
        )
    assert earlier.study.study_instance_uid in opened.viewer_url
    (record,) = audited(database, "prior:open")
    assert record.subject_id == str(earlier.study.id)
    assert record.detail["workitem"] == str(now.workitem_id)


def test_another_sites_studies_need_a_link_an_agreement_and_a_reason_given_once(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    elsewhere = consortium.queued_study(site=consortium.west, local_id="W9")
    now = consortium.queued_study(site=consortium.east)
    assert priors(database, now) == Priors(
        items=[],
        elsewhere=0,
        not_agreed=0,
        reason_needed=False,
        reason=None,
        emergency=None,
        may_force=True,
    )
    link(database, now.study, elsewhere.study)
    found = priors(database, now)
    assert (found.items, found.elsewhere, found.not_agreed) == ([], 0, 1)
    assert refusal(database, now, elsewhere.study) == "not-found"
    agree(database, admin)
    found = priors(database, now)
    assert (found.items, found.elsewhere, found.reason_needed) == ([], 1, True)
    assert refusal(database, now, elsewhere.study) == "reason-needed"
    for purpose in (Purpose.COMPARISON, Purpose.EMERGENCY):
        with database.transaction() as session:
            service.give_reason(
                session,
                scope_of(database, "writer"),
                now.workitem_id,
                ReasonBody(purpose=purpose),
                SHIFT,
            )
    found = priors(database, now)
    assert [(one.site.code, one.basis) for one in found.items] == [("WEST", Basis.LINK)]
    assert found.reason is not None
    assert found.reason.purpose is Purpose.COMPARISON
    assert len(audited(database, "prior:reason")) == 1
    with database.transaction() as session:
        service.open_prior(
            session, scope_of(database, "writer"), now.workitem_id, elsewhere.study.id
        )
        assert session.scalar(select(func.count()).select_from(PriorAccess)) == 1
    # Another doctor is asked for his own reason.
    assert priors(database, now, "reviewer").reason_needed
    assert refusal(database, now, elsewhere.study, "reviewer") == "reason-needed"
    link(database, now.study, elsewhere.study, undo=True)
    assert priors(database, now).items == []
    assert refusal(database, now, elsewhere.study) == "not-found"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"provider": "WEST", "client": "EAST"}, True),
        ({"provider": "county", "client": "EAST"}, True),
        ({"provider": "EAST", "client": "WEST"}, False),
        ({"valid_from": date(2026, 1, 1), "valid_until": date(2026, 1, 31)}, False),
        ({"valid_from": utc_now().date() + timedelta(days=2)}, False),
    ],
)
def test_an_agreement_holds_in_its_direction_and_on_its_days(
    database: Database,
    consortium: Consortium,
    admin: Scope,
    values: dict[str, object],
    *,
    shown: bool,
) -> None:
    elsewhere = consortium.queued_study(site=consortium.west, local_id="W9")
    now = consortium.queued_study(site=consortium.east)
    link(database, now.study, elsewhere.study)
    agree(database, admin, **values)
    assert (priors(database, now).elsewhere == 1) is shown
    with database.transaction() as session:
        (made,) = agreements.shown(session, admin)
        agreements.end(session, admin, made.id)
    assert priors(database, now).elsewhere == 0


def test_the_same_identity_document_shows_studies_that_nobody_has_linked(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    agree(database, admin)
    studies: list[QueuedStudy] = []
    for site, local_id, number in (
        (consortium.east, "P001", RESIDENT_ID),
        (consortium.west, "W9", RESIDENT_ID),
        # His twin: the same day and nearly the same name, another document.
        (consortium.west, "W8", "110105194912310038"),
    ):
        placed(
            database,
            order_request(
                site,
                patient_local_id=local_id,
                document_kind=DocumentKind.RESIDENT_ID,
                document_number=number,
            ),
        )
        studies.append(consortium.queued_study(site=site, local_id=local_id))
    with database.transaction() as session:
        session.execute(update(Order).values(document_flaw=None))
    now, same, twin = studies
    with database.transaction() as session:
        service.give_reason(
            session,
            scope_of(database, "writer"),
            now.workitem_id,
            ReasonBody(purpose=Purpose.COMPARISON),
            SHIFT,
        )
    found = priors(database, now)
    assert [(one.study_id, one.basis) for one in found.items] == [(same.study.id, Basis.DOCUMENT)]
    with pytest.raises(Problem) as problem:
        link(database, now.study, twin.study)
    assert problem.value.code == "not-linkable"
    with database.transaction() as session:
        session.execute(
            update(Patient)
            .where(Patient.id == same.study.patient_id)
            .values(birth_date=date(1999, 1, 1))
        )
    assert priors(database, now).items == []


def test_links_reach_over_several_sites_and_a_pair_is_linked_once(
    database: Database, consortium: Consortium
) -> None:
    made = [
        consortium.complete_study(site=site, local_id=local_id)
        for site, local_id in (
            (consortium.east, "A"),
            (consortium.west, "B"),
            (consortium.east, "C"),
        )
    ]
    link(database, made[0], made[1])
    link(database, made[2], made[1])
    with database.transaction() as session:
        assert links.linked(session, made[0].patient_id) == {
            made[1].patient_id,
            made[2].patient_id,
        }
    with pytest.raises(Problem) as problem:
        link(database, made[1], made[0])
    assert problem.value.code == "not-linkable"
    dispatcher = scope_of(database, "dispatcher")
    pair = (made[0].patient_id, made[2].patient_id)
    with pytest.raises(LinkRefused), database.transaction() as session:
        links.unlink(session, dispatcher.actor, dispatcher.person_id, pair, "x")


def test_only_who_reads_sees_priors_and_nobody_another_sites_workitem(
    database: Database, consortium: Consortium, admin: Scope
) -> None:
    item = consortium.queued_study(site=consortium.east)
    for login, code in (("doctor-east", "forbidden"), ("dispatcher", "forbidden")):
        with pytest.raises(Problem) as problem:
            priors(database, item, login)
        assert problem.value.code == code
    with database.transaction() as session:
        add_person(
            session,
            "reader-west",
            "外站",
            "x",
            organisation=consortium.west,
            roles=(Role.REVIEWER,),
        )
    with pytest.raises(Problem) as problem:
        priors(database, item, "reader-west")
    assert problem.value.code == "not-found"
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Agreement)) == 0
