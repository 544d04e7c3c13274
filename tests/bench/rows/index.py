"""The index with 1 M studies and 20 M instances: what people ask of it, and what it takes in.

`python -m tests.bench.index_scale` measures the same in more detail, and at other sizes.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

from tests.bench.index_data import Size
from tests.bench.index_world import Workload, World, open_world, workloads
from tests.bench.row import RDC, Goal, Measured, Row
from tests.bench.stage import Stage

_SIZE: Final = Size(studies=1_000_000, instances=20_000_000, sites=20)
_PAGE: Final = 50
_QUESTIONS: Final = 100
_BATCHES: Final = 100
_SHOWN: Final = frozenset(
    {
        "patient-id",
        "accession",
        "date-modality",
        "date-modality-1000",
        "all-1000",
        "name-hanzi",
        "name-hanzi-begins",
        "name-pinyin",
        "name-initials",
    }
)


def _prepare(stage: Stage) -> None:
    opened = ExitStack()
    stage.facts["index"] = opened.enter_context(
        open_world(stage.generated / "index", _SIZE, partial(print, file=sys.stderr, flush=True))
    )
    stage.on_end(opened.close)


def _asked(workload: Workload, who: str) -> Callable[[Stage], Measured]:
    def run(stage: Stage) -> Measured:
        world: World = stage.facts["index"]
        answered = world.ask(workload, who, _QUESTIONS)
        return Measured(answered.p95, {"median ms": answered.median, "results": answered.results})

    return run


def _filed(stage: Stage) -> Measured:
    world: World = stage.facts["index"]
    rates = world.insert_rates(_BATCHES)
    return Measured(100 * rates["full"] / rates["empty"], rates)


ROWS: Final = (
    *(
        Row(
            name=f"index-{workload.name}-{who}",
            title=f"QIDO in 1 M studies / 20 M instances, {workload.title}, by a {who}: p95",
            unit="ms",
            goal=Goal(below=workload.goal_ms),
            runs={RDC: _asked(workload, who)},
            higher_is_better=False,
            prepare=_prepare,
            world="index",
            operations=_QUESTIONS,
            repeats=3,
        )
        for workload in workloads(_SIZE, _PAGE)
        if workload.name in _SHOWN
        for who in ("centre", "site")
    ),
    Row(
        name="index-insert",
        title="filing into 20 M instances, against an empty index",
        unit="%",
        goal=Goal(at_least=90),
        runs={RDC: _filed},
        prepare=_prepare,
        world="index",
        repeats=3,
    ),
)
