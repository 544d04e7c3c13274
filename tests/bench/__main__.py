"""`python -m tests.bench`: choose rows, run them, write what came of it."""

import argparse
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tests.bench import machine, report, rows
from tests.bench.row import CONTENDERS, RDC, Measured, Row, RunFailed
from tests.bench.stage import Stage
from tests.support.peers import REPOSITORY

RESULTS = REPOSITORY / "tests" / "bench" / "RESULTS.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 when every goal that was measured is met, else 1."""
    chosen = _parser().parse_args(arguments)
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = dict(_all_rows())
    if chosen.list:
        for module, row in found.values():
            print(f"{row.name:22} {module:10} {row.title} ({row.goal})")  # noqa: T201 -- its output
        return 0
    wanted = [name for text in chosen.rows for name in text.split(",") if name]
    selected = [
        row
        for module, row in found.values()
        if not wanted or module in wanted or row.name in wanted
    ]
    if not selected:
        print(f"no rows are called {', '.join(wanted)}; --list shows all", file=sys.stderr)  # noqa: T201 -- the same
        return 2
    scratch: Path = chosen.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    facts = machine.describe(scratch)
    if machine.is_busy():
        facts["note"] = "others worked on this machine when the run began"
        _say(f"WARNING: load average {os.getloadavg()[0]:.1f}: figures will be too low and unequal")
    peers = {RDC, *chosen.peers.split(",")}
    outcomes: list[report.Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="rdc-bench-", dir=scratch) as room,
        machine.kept_awake() as facts["idle processor"],
    ):
        for _, group in groupby(selected, key=lambda row: row.world or row.name):
            outcomes.extend(_run_world(list(group), Path(room), chosen, peers))
    print(report.table(outcomes))  # noqa: T201 -- its output
    json_path = chosen.json or scratch / "bench.json"
    report.write_json(json_path, facts, outcomes)
    _say(f"every value: {json_path}")
    page = chosen.results or (None if wanted else RESULTS)
    if page is not None:
        report.write_markdown(page, facts, outcomes)
        _say(f"written: {page}")
    return 1 if any(one.row.met(one.medians) is False for one in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…", description=__doc__)
    parser.add_argument("--list", action="store_true", help="show all rows and end")
    parser.add_argument(
        "--rows", action="append", default=[], help="names of rows or modules, comma-separated"
    )
    parser.add_argument("--repeats", type=int, help="measured runs of each contender (5)")
    parser.add_argument("--warm-ups", type=int, help="runs before them that do not count (1)")
    parser.add_argument(
        "--peers", default=",".join(CONTENDERS[1:]), help="contenders beside us, comma-separated"
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        default=REPOSITORY / "var" / "bench",
        help="where data is kept meanwhile: on the disk to be measured",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="where generated databases of millions of rows are kept for another run (removed)",
    )
    parser.add_argument("--json", type=Path, help="where every value is written (in --scratch)")
    parser.add_argument("--results", type=Path, help="page to write (RESULTS.md of a whole run)")
    return parser


def _all_rows() -> Iterator[tuple[str, tuple[str, Row]]]:
    for module in pkgutil.iter_modules(rows.__path__):
        loaded = importlib.import_module(f"{rows.__name__}.{module.name}")
        for row in loaded.ROWS:
            yield row.name, (module.name, row)


def _run_world(
    group: Sequence[Row], room: Path, chosen: argparse.Namespace, peers: set[str]
) -> list[report.Outcome]:
    outcomes: list[report.Outcome] = []
    with Stage(room, kept=chosen.keep) as stage:
        for number, row in enumerate(group):
            _say(f"{row.name}: {row.title}")
            if number == 0 and row.prepare is not None:
                row.prepare(stage)
            outcomes.append(_run_row(stage, row, chosen, peers))
    return outcomes


def _run_row(stage: Stage, row: Row, chosen: argparse.Namespace, peers: set[str]) -> report.Outcome:
    taken = {name: report.Taken() for name in row.runs if name in peers}
    warm_ups = row.warm_ups if chosen.warm_ups is None else chosen.warm_ups
    repeats = row.repeats or 5 if chosen.repeats is None else chosen.repeats
    for number in range(-warm_ups, repeats):
        for name, one in taken.items():
            if one.failure is not None:
                continue
            try:
                measured, cpu = _run_once(stage, row, name)
            except RunFailed as error:
                one.failure = str(error)
                _say(f"  {name} failed: {error}")
                continue
            which = "warm-up" if number < 0 else str(number + 1)
            _say(f"  {which} {name} {measured.value:.4g} {measured.of}".rstrip())
            if number >= 0:
                one.runs.append(measured)
                one.cpu_seconds.append(cpu)
    return report.Outcome(row, taken)


def _run_once(stage: Stage, row: Row, name: str) -> tuple[Measured, float]:
    if row.between is not None:
        row.between(stage, name)
    stage.settle()
    before = stage.cpu_seconds(name)
    measured = row.runs[name](stage)
    cpu = stage.cpu_seconds(name) - before
    return (measured if isinstance(measured, Measured) else Measured(measured)), cpu


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- a person waits


if __name__ == "__main__":
    sys.exit(main())
