"""The worklist with 1 M finished readings and 100,000 open ones: how long a page takes."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final

from tests.bench.row import RDC, Goal, Measured, Row
from tests.bench.stage import Stage
from tests.bench.worklist_world import QUESTIONS, Question, WorklistWorld, open_world

_TIMES: Final = 100
_GOAL_MS: Final = 50


def prepare_worklist(stage: Stage) -> None:
    """Make the worklist, or open the one that was kept: `facts["worklist"]`."""
    opened = ExitStack()
    stage.facts["worklist"] = opened.enter_context(
        open_world(stage.generated / "worklist", partial(print, file=sys.stderr, flush=True))
    )
    stage.on_end(opened.close)


def _asked(question: Question) -> Callable[[Stage], Measured]:
    def run(stage: Stage) -> Measured:
        world: WorklistWorld = stage.facts["worklist"]
        answered = world.ask(question, _TIMES)
        return Measured(answered.p95, {"median ms": answered.median})

    return run


def _board(stage: Stage) -> Measured:
    world: WorklistWorld = stage.facts["worklist"]
    answered = world.board(_TIMES)
    return Measured(answered.p95, {"median ms": answered.median})


def _steps(stage: Stage, offset: int) -> Measured:
    world: WorklistWorld = stage.facts["worklist"]
    answered = world.steps(_TIMES, offset=offset)
    return Measured(answered.p95, {"median ms": answered.median})


_UPS: Final = "UPS-RS over 1.1 M workitems without a filter"
ROWS: Final = (
    *(
        Row(
            name=f"worklist-{question.name}",
            title=f"worklist of 1 M finished and 100,000 open: {question.title}: p95",
            unit="ms",
            goal=Goal(below=_GOAL_MS),
            runs={RDC: _asked(question)},
            higher_is_better=False,
            prepare=prepare_worklist,
            world="worklist",
            operations=_TIMES,
            repeats=3,
        )
        for question in QUESTIONS
    ),
    Row(
        name="worklist-board",
        title="wall board over 100,000 open: p95",
        unit="ms",
        goal=Goal(below=2 * _GOAL_MS),
        runs={RDC: _board},
        higher_is_better=False,
        prepare=prepare_worklist,
        world="worklist",
        operations=_TIMES,
        repeats=3,
    ),
    *(
        Row(
            name=f"worklist-ups-{name}",
            title=f"{_UPS}, {title}: p95",
            unit="ms",
            goal=Goal(below=2 * _GOAL_MS),
            runs={RDC: partial(_steps, offset=offset)},
            higher_is_better=False,
            prepare=prepare_worklist,
            world="worklist",
            operations=_TIMES,
            repeats=3,
        )
        for name, title, offset in (("first", "page 1", 0), ("deep", "from 50,000 on", 50_000))
    ),
)
