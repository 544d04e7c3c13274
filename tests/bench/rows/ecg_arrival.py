"""An ECG from its last byte to the worklist, how many of them go, and what measuring one costs."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydicom.uid import generate_uid
from sqlalchemy import func, select

from reading_worklist.ecg.analysis.analyse import EcgPatientFacts, analyse
from reading_worklist.ecg.analysis.tables import EcgAnalysis
from reading_worklist.ecg.triage.rulesets import Province, rulesets_for
from reading_worklist.workitems.tables import Workitem
from storage.index.tables import Study
from tests.bench.data import Sender
from tests.bench.row import RDC, Goal, Measured, Row, RunFailed
from tests.bench.stage import Rdc, Stage
from tests.support import heart

_MEASURED: Final = 100
_SENT: Final = 300
_SENDERS: Final = 4
_WAIT_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.02


def _measuring(_: Stage) -> Measured:
    """Milliseconds of one processor for quality, measurement, hints and picture of an ECG."""
    rules = rulesets_for(Province.OTHER)
    records = [
        heart.record_of(heart.beats_at(heart.regular(rate), noise=noise))
        for rate in (45.0, 60.0, 75.0, 95.0, 130.0)
        for noise in (4.0, 15.0)
    ]
    patient = EcgPatientFacts("M", 60.0)
    analyse(records[0], patient, rules)
    each: list[float] = []
    for number in range(_MEASURED):
        began = time.thread_time()
        analyse(records[number % len(records)], patient, rules)
        each.append((time.thread_time() - began) * 1000)
    return Measured(sum(each) / len(each), {"slowest ms": max(each)})


def _write(directory: Path, count: int) -> Sender:
    """Write so many ECGs of as many patients and studies."""
    directory.mkdir(parents=True)
    leads = heart.beats_at(heart.regular(72))
    studies: list[str] = []
    for number in range(count):
        study = str(generate_uid())
        data = heart.dicom_of(leads, StudyInstanceUID=study, PatientID=study[-40:])
        (directory / f"{number}.dcm").write_bytes(data)
        studies.append(study)
    return Sender(directory, studies[-1], "", studies)


def _send(stage: Stage, count: int, senders: int) -> tuple[Sequence[str], float, float]:
    """Send as many new ECGs; returns their studies, and when the sending began and ended."""
    folder = stage.directory / f"ecgs-{time.monotonic_ns()}"
    made = [_write(folder / str(number), count // senders) for number in range(senders)]
    began = time.perf_counter()
    seconds = stage.send(stage.rdc.dicom, made)
    return [uid for one in made for uid in one.sop_instance_uids], began, began + seconds


def _analysed(rdc: Rdc, studies: Sequence[str]) -> int:
    """How many of the studies are in the worklist with an analysis."""
    with rdc.database.transaction() as session:
        return (
            session.scalar(
                select(func.count(func.distinct(Study.id)))
                .join(Workitem, Workitem.study_id == Study.id)
                .join(EcgAnalysis, EcgAnalysis.study_id == Study.id)
                .where(Study.study_instance_uid.in_(studies))
            )
            or 0
        )


def _wait(rdc: Rdc, studies: Sequence[str]) -> float:
    """Return when all of the studies are there. Raises RunFailed after two minutes."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while (count := _analysed(rdc, studies)) < len(studies):
        if time.monotonic() > deadline:
            raise RunFailed(f"{count} of {len(studies)} ECGs are in the worklist with values")
        time.sleep(_LOOK_SECONDS)
    return time.perf_counter()


def _to_the_worklist(stage: Stage) -> Measured:
    """Seconds from the last byte, the quiet time of an ECG included."""
    studies, _, sent = _send(stage, 1, 1)
    return Measured(_wait(stage.rdc, studies) - sent)


def _sustained(stage: Stage) -> Measured:
    """ECGs a second from the first byte to the last one in the worklist with its values."""
    studies, began, sent = _send(stage, _SENT, _SENDERS)
    ended = _wait(stage.rdc, studies)
    return Measured(len(studies) / (ended - began), {"s after the last byte": ended - sent})


def _start(stage: Stage, contender: str) -> None:
    stage.start(contender)


ROWS: Final = (
    Row(
        name="ecg-measuring",
        title="one 10 s ECG of 12 leads: quality, measurement, hints and picture, processor time",
        unit="ms",
        goal=Goal(below=50),
        runs={RDC: _measuring},
        higher_is_better=False,
        operations=_MEASURED,
        repeats=3,
    ),
    Row(
        name="ecg-to-worklist",
        title="an ECG by C-STORE, from its last byte until the worklist has it with its values",
        unit="s",
        goal=Goal(below=2),
        runs={RDC: _to_the_worklist},
        higher_is_better=False,
        between=_start,
        world="ecg-arrival",
        repeats=10,
    ),
    Row(
        name="ecg-sustained",
        title=f"{_SENT} ECGs by C-STORE, {_SENDERS} associations, until all have their values",
        unit="ECG/s",
        goal=Goal(at_least=10),
        runs={RDC: _sustained},
        between=_start,
        world="ecg-arrival",
        operations=_SENT,
        repeats=3,
    ),
)
