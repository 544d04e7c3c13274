"""Everybody at once: the devices of 250 sites, and 300 people at the worklist."""

import statistics
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Instance
from tests.bench import crowd
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.support.seed import Consortium

_EXAMS: Final = 60
_ROOM_SECONDS: Final = 45.0
_FILED_SECONDS: Final = 120.0
_CALLS: Final = crowd.SITES * crowd.ASSOCIATIONS


def _crowd(stage: Stage) -> Measured:
    """95th percentile of seconds from a device's first attempt to its last acknowledgement."""
    database = stage.rdc.database
    before = _filed(stage)
    sent = crowd.call_all_at_once(stage.rdc.system.dicom_port, crowd.enter_sites(database))
    wanted = _CALLS * crowd.INSTANCES
    if len(set(sent.sent)) != wanted:
        raise RunFailed(f"{len(set(sent.sent))} of {wanted} instances were acknowledged")
    deadline = time.monotonic() + _FILED_SECONDS
    while (filed := _filed(stage) - before) < wanted:
        if time.monotonic() > deadline:
            raise RunFailed(f"{wanted - filed} acknowledged instances were not filed")
        time.sleep(0.25)
    refusals = {f"refused {reason}": count for reason, count in sorted(sent.refused.items())}
    return Measured(
        crowd.quantile95(sent.done),
        {
            "p95 s to the association": crowd.quantile95(sent.answered),
            "slowest s": max(sent.done),
            "lost": 0,
            **refusals,
        },
    )


def _filed(stage: Stage) -> int:
    with stage.rdc.database.transaction() as session:
        return session.scalar(select(func.count()).select_from(Instance)) or 0


def _room(stage: Stage) -> Measured:
    """95th percentile of milliseconds until a page of the worklist is there."""
    consortium = Consortium(stage.rdc.database)
    studies = [
        consortium.complete_study(local_id=f"R{number}", accession_number=f"R{number}").id
        for number in range(_EXAMS)
    ]
    items = _queued(stage, studies)
    people = crowd.enter_people(consortium)
    room = crowd.sit_at_worklists(stage.rdc.system.web, people, items, _ROOM_SECONDS)
    return Measured(
        crowd.quantile95(room.lists) * 1000,
        {
            "median ms": statistics.median(room.lists) * 1000,
            "p95 ms until a changed line is there": crowd.quantile95(room.lines) * 1000,
            "p95 ms of the first pages, all opened within 3 s": crowd.quantile95(room.opening)
            * 1000,
            "lists": len(room.lists),
            "lines": len(room.lines),
        },
    )


def _queued(stage: Stage, studies: Sequence[UUID]) -> Sequence[UUID]:
    """Return the workitems that the worklist makes of studies."""
    deadline = time.monotonic() + _FILED_SECONDS
    query = select(Workitem.id).where(Workitem.study_id.in_(studies))
    while time.monotonic() < deadline:
        with stage.rdc.database.transaction() as session:
            if len(found := session.scalars(query).all()) == len(studies):
                return found
        time.sleep(0.25)
    raise RunFailed("the exams did not come into the worklist")


def _start(stage: Stage, contender: str) -> None:
    stage.start(contender)
    stage.settle()


ROWS: Final = (
    Row(
        name="crowd",
        title=f"{crowd.SITES} sites call at once with {crowd.ASSOCIATIONS} associations each,"
        f" {crowd.INSTANCES} instances in each, p95 from the first attempt to the last answer",
        unit="s",
        goal=Goal(below=30),
        runs={RDC: _crowd},
        higher_is_better=False,
        between=_start,
        world="load",
        operations=_CALLS,
        repeats=1,
        warm_ups=0,
    ),
    Row(
        name="readers",
        title=f"{crowd.PEOPLE} people at the worklist with live events, p95 of a page",
        unit="ms",
        goal=Goal(below=300),
        runs={RDC: _room},
        higher_is_better=False,
        between=_start,
        world="load",
        operations=crowd.PEOPLE,
        repeats=1,
        warm_ups=0,
    ),
)
