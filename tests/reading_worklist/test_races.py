"""Two people, or a person and the clock, want the same workitem at the same moment.

Each race is run with two connections; of what cannot both be, exactly one happens, and whoever
comes second gets a clear answer. A thousand times each in a soak run.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.reports import amendment, queries, recalls
from reading_worklist.reports import service as reports
from reading_worklist.reports.documents import StoredPdf
from reading_worklist.reports.issuing import issue
from reading_worklist.reports.tables import (
    RecallRecipient,
    ReportDraft,
    ReportSubmission,
    ReportVersion,
)
from reading_worklist.services import Services
from reading_worklist.workitems import service
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Workitem
from storage import registry
from storage.clock import utc_now
from storage.database import Database
from storage.messages import ReportDelivered
from storage.objects import ObjectKey, ObjectStore
from storage.registry import Destination
from tests.support.scopes import scope_of
from tests.support.seed import Consortium
from tests.support.soak import SOAK, soak
from tests.support.web import PIN, application

# A soak run takes what is marked slow: a thousand races of each kind are minutes, twenty seconds.
pytestmark = [
    pytest.mark.timeout(soak(3600, else_=120)),
    *([pytest.mark.slow] if SOAK else []),
]

TIMES = soak(1000, else_=20)
LEASE = timedelta(minutes=15)
CONTENT: dict[str, object] = {
    "status": "final",
    "version_number": 1,
    "modality": "CT",
    "examining": {"name": "东河镇卫生院"},
    "diagnosing": {"name": "诊断中心"},
    "patient": {"name": "张伟"},
    "study_instance_uid": "1.2.3",
    "verification_code": "X",
    "verification_url": "http://x",
    "findings": "",
    "impression": "",
    "reported_at": "2026-11-22T00:00:00Z",
    "time_zone": "Asia/Shanghai",
}


_HELD = "holder_id = :writer, writer_id = :writer, lease_until = now() + interval '1 hour'"
_LEFT = "holder_id = NULL, lease_until = NULL"

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ring:
    """One workitem, the people who want it, and two threads to want it with at once."""

    database: Database
    consortium: Consortium
    scopes: dict[str, Scope]
    pool: ThreadPoolExecutor
    item_id: UUID

    def both(self, first: Act, second: Act) -> list[str]:
        """Begin two acts at the same moment; returns "done" or the problem's code of each."""
        start = Barrier(2)

        def answer(act: Act) -> str:
            start.wait(timeout=30)
            try:
                act()
            except Problem as problem:
                return problem.code
            return "done"

        return list(self.pool.map(answer, (first, second)))

    def inside(self, act: Callable[[Session], object]) -> Act:
        """Return the act in a transaction, and so on a connection, of its own."""

        def run() -> None:
            with self.database.transaction() as session:
                act(session)

        return run

    def item(self) -> Workitem:
        with self.database.transaction() as session:
            return session.get_one(Workitem, self.item_id)

    def set(self, *assignments: str) -> None:
        """Change the row as no program would, each change for itself."""
        writer = self.scopes["writer"].person_id
        for assignment in assignments:
            statement = text(f"UPDATE workitem SET {assignment} WHERE id = :id")
            if "writer" in assignment:
                statement = statement.bindparams(writer=writer)
            with self.database.transaction() as session:
                session.execute(statement, {"id": self.item_id})

    def submission(self) -> ReportSubmission:
        """Add a submission, as far as the rows go."""
        with self.database.transaction() as session:
            earlier = queries.latest_submission(session, self.item_id)
            submission = ReportSubmission(
                workitem_id=self.item_id,
                number=earlier.number + 1 if earlier else 1,
                writer_id=self.scopes["writer"].person_id,
                findings="",
                impression="",
                advice="",
                content=CONTENT,
                verification_code=uuid4().hex[:12].upper(),
                pdf_object_key="reports/none.pdf",
                pdf_sha256="none",
                submitted_at=utc_now(),
            )
            session.add(submission)
        return submission

    def issue(self, session: Session, submission: ReportSubmission) -> ReportVersion:
        """Issue a submission as a version."""
        reviewer = self.scopes["reviewer"]
        item = service.locked(session, reviewer, self.item_id)
        stored = StoredPdf(ObjectKey.parse("reports/none.pdf"), "none", utc_now())
        person = reviewer.person_id
        return issue(session, reviewer, item, submission, stored, reviewer_id=person, reason="x")

    def publish(self) -> ReportVersion:
        """Take the queued item to its first published version."""
        self.set(
            f"state = 'CLAIMED', {_HELD}",
            f"state = 'WRITTEN', {_LEFT}",
            f"state = 'REVIEWING', {_HELD}",
            f"state = 'FINAL', {_LEFT}, finalised_at = now()",
            "state = 'PUBLISHED'",
        )
        submission = self.submission()
        with self.database.transaction() as session:
            return self.issue(session, submission)

    def arrival(self, version: ReportVersion) -> Act:
        """Return what happens when the site's machine has got a version."""
        with self.database.transaction() as session:
            destination = session.scalars(select(Destination.id)).one()
        message = ReportDelivered(
            delivery_id=uuid4(),
            report_version_id=version.id,
            workitem_id=self.item_id,
            destination_id=destination,
            delivered_at=utc_now(),
        )
        return self.inside(lambda session: recalls.acknowledge_delivery(session, message))


@pytest.fixture
def ring(database: Database, consortium: Consortium) -> Iterator[Ring]:
    logins = ("writer", "writer2", "reviewer", "reviewer2")
    scopes = {login: scope_of(database, login) for login in logins}
    with database.transaction() as session:
        registry.add_dicom_destination(session, consortium.east, "EAST_PACS", "10.0.0.1", 104)
    with ThreadPoolExecutor(2) as pool:
        yield Ring(database, consortium, scopes, pool, consortium.queued_study().workitem_id)


def test_two_claims(ring: Ring) -> None:
    def claim(login: str) -> Act:
        return ring.inside(
            lambda session: service.claim(session, ring.scopes[login], ring.item_id, LEASE)
        )

    for _ in range(TIMES):
        answers = ring.both(claim("writer"), claim("writer2"))
        assert sorted(answers) == ["done", "held-by-other"]
        winner = ring.scopes[("writer", "writer2")[answers.index("done")]]
        assert ring.item().holder_id == winner.person_id
        ring.set(f"state = 'QUEUED', {_LEFT}")


def test_two_reviews(ring: Ring) -> None:
    def review(login: str) -> Act:
        return ring.inside(
            lambda session: service.start_review(session, ring.scopes[login], ring.item_id, LEASE)
        )

    ring.set(f"state = 'CLAIMED', {_HELD}", f"state = 'WRITTEN', {_LEFT}")
    for _ in range(TIMES):
        answers = ring.both(review("reviewer"), review("reviewer2"))
        assert sorted(answers) == ["done", "held-by-other"]
        winner = ring.scopes[("reviewer", "reviewer2")[answers.index("done")]]
        assert ring.item().holder_id == winner.person_id
        ring.set(f"state = 'WRITTEN', {_LEFT}")


def test_submission_against_the_end_of_the_lease(
    ring: Ring, objects: ObjectStore, tmp_path: Path
) -> None:
    services: Services = application(ring.consortium, objects, tmp_path).state.services
    with ring.database.transaction() as session:
        # Somebody else's draft does not keep the lease of who holds it now.
        session.add(
            ReportDraft(
                workitem_id=ring.item_id,
                author_id=ring.scopes["writer2"].person_id,
                findings="a",
                impression="b",
                advice="",
                revision=1,
            )
        )

    def submit() -> None:
        writer = ring.scopes["writer"]
        reports.submit(services, writer, ring.item_id, revision=1, signing_pin=PIN)

    submitted = 0
    for _ in range(TIMES):
        ring.set(f"state = 'CLAIMED', {_HELD}", "lease_until = now() - interval '1 s'")
        answer, _ = ring.both(submit, ring.inside(service.expire_leases))
        item = ring.item()
        with ring.database.transaction() as session:
            latest = queries.latest_submission(session, ring.item_id)
        if answer == "done":
            submitted += 1
            assert (item.state, item.holder_id) == (State.WRITTEN, None)
            ring.set(f"state = 'REVIEWING', {_HELD}", f"state = 'RETURNED', {_LEFT}")
        else:
            assert answer in {"wrong-state", "not-holder"}
            assert item.state is State.QUEUED
        assert (latest.number if latest else 0) == submitted
    assert submitted < TIMES, "the lease ends while the document is drawn"


def test_amendment_against_delivery(ring: Ring, objects: ObjectStore, tmp_path: Path) -> None:
    app = application(ring.consortium, objects, tmp_path, signers=False)
    services: Services = app.state.services
    reviewer = ring.scopes["reviewer"]
    arrives = ring.arrival(ring.publish())

    def amend() -> None:
        amendment.amend(services, reviewer, ring.item_id, "x")

    for _ in range(TIMES):
        assert ring.both(amend, arrives) == ["done", "done"]
        item = ring.item()
        assert (item.state, item.amending) == (State.CLAIMED, True)
        assert item.delivered_at is not None
        ring.set("delivered_at = NULL")
        amendment.abandon(services, reviewer, ring.item_id)


def test_the_next_version_against_delivery_of_the_last(ring: Ring) -> None:
    last = ring.publish()
    for number in range(2, TIMES + 2):
        submission = ring.submission()

        def replace(session: Session, submission: ReportSubmission = submission) -> None:
            ring.issue(session, submission)

        ring.set("delivered_at = NULL")
        answers = ring.both(ring.inside(replace), ring.arrival(last))
        assert answers == ["done", "done"]
        came_late = ring.item().delivered_at is None
        with ring.database.transaction() as session:
            standing = queries.standing_version(session, ring.item_id)
            told = session.scalars(
                select(RecallRecipient).where(RecallRecipient.report_version_id == last.id)
            ).all()
        assert len(told) == int(came_late), "on the list when it arrived after its recall"
        assert standing is not None
        assert standing.number == number
        last = standing
