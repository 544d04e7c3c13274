"""One instance of 2 GiB: the memory of every process while it is received and filed."""

from typing import Final

from tests.bench.data import HugeInstance
from tests.bench.row import ORTHANC, RDC, Goal, Measured, Row
from tests.bench.stage import OrthancPeer, PeakMemory, Rdc, Stage

# 512 KiB each.
_FRAMES: Final = 4096


def _prepare(stage: Stage) -> None:
    stage.facts["data"] = HugeInstance(stage.directory / "data", frames=_FRAMES - 1)


def _between(stage: Stage, contender: str) -> None:
    stage.start(contender)
    data: HugeInstance = stage.facts["data"]
    data.renew()


def _peak(stage: Stage, peer: Rdc | OrthancPeer) -> Measured:
    data: HugeInstance = stage.facts["data"]
    memory = PeakMemory(peer)
    try:
        seconds = stage.send(peer.dicom, data.senders)
        stage.wait_until_seen(peer, data.senders)
        # What follows from the completion of the study belongs to it.
        stage.settle()
    finally:
        memory.stop()
    notes = {f"MiB of {name}": peak for name, peak in memory.by_process.items()}
    return Measured(memory.mebibytes, {"seconds": seconds, **notes}, of=memory.process)


def _ours(stage: Stage) -> Measured:
    return _peak(stage, stage.rdc)


def _orthanc(stage: Stage) -> Measured:
    return _peak(stage, stage.orthanc)


ROWS: Final = (
    Row(
        name="memory-2gib",
        title="one instance of 2 GiB: most memory of any one process",
        unit="MiB",
        goal=Goal(below=300),
        runs={RDC: _ours, ORTHANC: _orthanc},
        higher_is_better=False,
        prepare=_prepare,
        between=_between,
        repeats=1,
        warm_ups=0,
    ),
)
