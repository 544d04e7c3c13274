"""The feed of a site: in the order of commits, without a gap, late versions never as news."""

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import func, select

from storage.database import Database
from storage.issued_feed.tables import IssuedFeedEntry, IssuedResource
from storage.issued_reports import IssuedReport, write
from tests.support.issued import amended, at_site, issued_report, revoked
from tests.support.seed import Consortium
from tests.support.soak import soak


def entries(database: Database, site_id: UUID) -> Sequence[IssuedFeedEntry]:
    with database.transaction() as session:
        return session.scalars(
            select(IssuedFeedEntry)
            .where(IssuedFeedEntry.site_id == site_id)
            .order_by(IssuedFeedEntry.position)
        ).all()


def keep(database: Database, *reports: IssuedReport) -> None:
    for report in reports:
        with database.transaction() as session:
            write(session, report)


def test_versions_follow_each_other_and_the_last_is_current(consortium: Consortium) -> None:
    study = consortium.complete_study()
    first = at_site(issued_report(), consortium.east, study.id)
    second = amended(first)
    keep(consortium.database, first, second, first, revoked(second))
    made = entries(consortium.database, consortium.east.id)
    assert [one.position for one in made] == [1, 2, 3]
    assert [one.is_current for one in made] == [False, False, True]
    assert [one.status for one in made] == ["final", "amended", "entered-in-error"]
    assert not any(one.is_late for one in made)
    assert made[0].at < made[1].at < made[2].at
    assert entries(consortium.database, consortium.west.id) == []


def test_a_version_kept_after_its_successor_is_no_news(consortium: Consortium) -> None:
    study = consortium.complete_study()
    first = at_site(issued_report(), consortium.east, study.id)
    second = amended(first)
    keep(consortium.database, second, first)
    made = entries(consortium.database, consortium.east.id)
    assert [(one.rank, one.is_current, one.is_late) for one in made] == [
        (4, True, False),
        (2, False, True),
    ]
    with consortium.database.transaction() as session:
        told_last = session.scalars(
            select(IssuedResource.position).where(IssuedResource.kind == "DiagnosticReport")
        ).all()
    assert told_last == [1]


def test_positions_are_in_the_order_of_commits(consortium: Consortium) -> None:
    """Whoever draws a later position waits for the earlier one's commit: no reader sees a gap."""
    study = consortium.complete_study()
    one = at_site(issued_report(), consortium.east, study.id)
    other = replace(one, report_version_id=uuid4(), workitem_id=uuid4())
    elsewhere = at_site(
        replace(one, report_version_id=uuid4(), workitem_id=uuid4()), consortium.west, study.id
    )
    drawn, done = threading.Event(), threading.Event()

    def second() -> None:
        drawn.set()
        keep(consortium.database, other)
        done.set()

    with consortium.database.transaction() as session:
        write(session, one)
        waiting = threading.Thread(target=second)
        waiting.start()
        assert drawn.wait(5)
        # Another site's is not held up by it, and ours is: its commit cannot come first.
        keep(consortium.database, elsewhere)
        assert not done.is_set()
        assert entries(consortium.database, consortium.east.id) == []
    waiting.join(5)
    assert [e.report_version_id for e in entries(consortium.database, consortium.east.id)] == [
        one.report_version_id,
        other.report_version_id,
    ]


def test_who_polls_while_many_are_issued_misses_none(consortium: Consortium) -> None:
    """Several issue at once, in transactions of any length, and somebody reads along."""
    writers, each = 4, soak(250, else_=8)
    study = consortium.complete_study()
    reports = [
        at_site(
            issued_report(report_version_id=uuid4(), workitem_id=uuid4()),
            consortium.east,
            study.id,
        )
        for _ in range(writers * each)
    ]
    chance = random.Random(7)
    holds = [chance.choice((0.0, 0.0, 0.004)) for _ in reports]

    def issue(number: int) -> None:
        for index in range(number, len(reports), writers):
            with consortium.database.transaction() as session:
                # What else is done before and after the position is drawn takes its time.
                session.execute(select(func.pg_sleep(holds[index])))
                write(session, reports[index])
                session.execute(select(func.pg_sleep(holds[-index])))

    threads = [threading.Thread(target=issue, args=(number,)) for number in range(writers)]
    seen: list[IssuedFeedEntry] = []
    for one in threads:
        one.start()
    while len(seen) < len(reports):
        running = any(one.is_alive() for one in threads)
        with consortium.database.transaction() as session:
            new = session.scalars(
                select(IssuedFeedEntry)
                .where(
                    IssuedFeedEntry.site_id == consortium.east.id,
                    IssuedFeedEntry.at > (seen[-1].at if seen else study.first_received_at),
                )
                .order_by(IssuedFeedEntry.at)
            ).all()
        seen += new
        assert new or running, "everything was committed and something was not seen"
    for one in threads:
        one.join()
    assert [one.position for one in seen] == list(range(1, len(reports) + 1))
    assert {one.report_version_id for one in seen} == {one.report_version_id for one in reports}
