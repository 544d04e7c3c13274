"""Reports on their way back: how fast a queue drains, and that the dead delay nobody."""

import statistics
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from tests.bench.returns_world import Receivers, ReturnsWorld
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.pacs_gateway.returns.world import Mute
from tests.support.ports import dead_port
from tests.support.seed import Consortium

_REPORTS: Final = 1000
_OF_EACH_KIND: Final = 5
_LIVING: Final = 40
_DEAD: Final = 10
_ROUNDS: Final = 20
_ROUND_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 900.0
_LOOK_SECONDS: Final = 0.25


def _world(stage: Stage) -> ReturnsWorld:
    database = stage.rdc.database
    made = ReturnsWorld(database, stage.rdc.system.data_dir, Consortium(database).east.id)
    made.drop_destinations()
    return made


def _wait(world: ReturnsWorld, versions: Sequence[UUID], left: int = 0) -> float:
    """Return when no more than `left` deliveries are open. Raises RunFailed after a while."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while (count := world.open_count(versions)) > left:
        if time.monotonic() > deadline:
            raise RunFailed(f"{count} deliveries are still open")
        time.sleep(_LOOK_SECONDS)
    return time.perf_counter()


def _drain(stage: Stage) -> Measured:
    """Deliveries a second, of all that waited, from the moment the destinations are back."""
    world = _world(stage)
    with Receivers(stage.directory / "received") as receivers:
        hl7 = [world.hl7(receivers.mllp_port) for _ in range(_OF_EACH_KIND)]
        dicom = [world.dicom(receivers.dicom_port) for _ in range(_OF_EACH_KIND)]
        versions = world.issue(1)
        _wait(world, versions)
        world.hold()
        versions = world.issue(_REPORTS)
        count = len(versions) * len([*hl7, *dicom])
        stage.settle()
        began = time.perf_counter()
        world.go()
        ended = _wait(world, versions)
    return Measured(count / (ended - began), {"seconds": ended - began})


def _beside_the_dead(stage: Stage) -> Measured:
    """95th percentile of seconds from issue to the receiver's answer, at those that live."""
    world = _world(stage)
    mutes = [Mute() for _ in range(_DEAD // 2)]
    try:
        with Receivers(stage.directory / "received") as receivers:
            living = [world.hl7(receivers.mllp_port) for _ in range(_LIVING // 2)]
            living += [world.dicom(receivers.dicom_port) for _ in range(_LIVING // 2)]
            for mute in mutes:
                world.hl7(mute.port, answer_seconds=30)
            for _ in range(_DEAD - len(mutes)):
                world.hl7(dead_port())
            versions: list[UUID] = []
            for _ in range(_ROUNDS):
                versions += world.issue(1)
                time.sleep(_ROUND_SECONDS)
            _wait(world, versions, left=_ROUNDS * _DEAD)
    finally:
        for mute in mutes:
            mute.close()
    took = world.seconds(versions, living)
    return Measured(
        statistics.quantiles(took, n=20)[-1],
        {"median s": statistics.median(took), "slowest s": max(took)},
    )


def _start(stage: Stage, contender: str) -> None:
    stage.start(contender)


ROWS: Final = (
    Row(
        name="returns-drain",
        title=f"{_REPORTS} reports for {2 * _OF_EACH_KIND} destinations after an outage,"
        " half C-STORE, half ORU^R01, until all have answered",
        unit="deliveries/s",
        goal=Goal(at_least=50),
        runs={RDC: _drain},
        between=_start,
        world="returns",
        operations=_REPORTS * 2 * _OF_EACH_KIND,
        repeats=1,
        warm_ups=0,
    ),
    Row(
        name="returns-beside-dead",
        title=f"a report for {_LIVING} destinations beside {_DEAD} dead ones, p95 to the answer",
        unit="s",
        goal=Goal(below=5),
        runs={RDC: _beside_the_dead},
        higher_is_better=False,
        between=_start,
        world="returns",
        operations=_ROUNDS * (_LIVING + _DEAD),
        repeats=1,
        warm_ups=0,
    ),
)
