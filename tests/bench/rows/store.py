"""C-STORE: until everything is acknowledged, and until the last instance is visible by QIDO-RS."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from tests.bench.data import CT_EDGE, SMALL_EDGE, DataSet
from tests.bench.row import DCMTK, ORTHANC, RDC, Goal, Measured, Row, Run
from tests.bench.stage import DcmtkStore, Stage


def _prepare(stage: Stage, *, instances: int, associations: int, edge: int) -> None:
    stage.facts["data"] = DataSet(
        stage.directory / "data", instances=instances, associations=associations, edge=edge
    )


def _between(stage: Stage, contender: str) -> None:
    data: DataSet = stage.facts["data"]
    peer = stage.start(contender)
    if isinstance(peer, DcmtkStore):
        peer.forget()
    data.renew()


def _acknowledged(stage: Stage, contender: str) -> Measured:
    """Instances per second until the last is acknowledged; all are there, or the run failed."""
    data: DataSet = stage.facts["data"]
    peer = stage.start(contender)
    seconds = stage.send(peer.dicom, data.senders)
    if not isinstance(peer, DcmtkStore):
        stage.check_complete(peer, data)
    return Measured(data.instances / seconds, {"MB/s": data.byte_count / seconds / 1e6})


def _seen(stage: Stage, contender: str) -> Measured:
    """Instances per second until the last of each association is visible by QIDO-RS."""
    data: DataSet = stage.facts["data"]
    peer = stage.start(contender)
    assert not isinstance(peer, DcmtkStore)
    began = time.perf_counter()
    acknowledged = stage.send(peer.dicom, data.senders)
    stage.wait_until_seen(peer, data.senders)
    seconds = time.perf_counter() - began
    stage.check_complete(peer, data)
    return Measured(data.instances / seconds, {"acknowledged after s": acknowledged})


def _acknowledged_by(contender: str) -> Run:
    return lambda stage: _acknowledged(stage, contender)


def _seen_at(contender: str) -> Run:
    return lambda stage: _seen(stage, contender)


def _row(
    name: str,
    title: str,
    goal: Goal,
    runs: Mapping[str, Run],
    *,
    instances: int,
    associations: int = 1,
    edge: int = CT_EDGE,
) -> Row:
    return Row(
        name=name,
        title=title,
        unit="inst/s",
        goal=goal,
        runs=runs,
        prepare=partial(_prepare, instances=instances, associations=associations, edge=edge),
        between=_between,
        operations=instances,
    )


_ALL: Final = {name: _acknowledged_by(name) for name in (RDC, ORTHANC, DCMTK)}
_ARCHIVES: Final = {name: _seen_at(name) for name in (RDC, ORTHANC)}

ROWS: Final = (
    _row(
        "store-1",
        "C-STORE 1000 × 525 kB CT, 1 association",
        Goal(times=2.0),
        _ALL,
        instances=1000,
    ),
    _row(
        "store-4",
        "C-STORE 4 × 250 × 525 kB CT, 4 associations",
        Goal(times=2.0),
        _ALL,
        instances=1000,
        associations=4,
    ),
    _row(
        "visible-1",
        "the same, 1 association, until the last instance is visible by QIDO-RS",
        Goal(times=1.5),
        _ARCHIVES,
        instances=1000,
    ),
    _row(
        "visible-4",
        "the same, 4 associations, until the last instances are visible by QIDO-RS",
        Goal(times=1.5),
        _ARCHIVES,
        instances=1000,
        associations=4,
    ),
    _row(
        "store-small",
        "C-STORE 2000 × 20 kB, 1 association",
        Goal(times=2.0),
        _ALL,
        instances=2000,
        edge=SMALL_EDGE,
    ),
)
