"""`python -m tests.bench.index_scale`: the index with very many studies, asked and added to.

Prints a table and writes JSON. The data stays in --scratch for another run of the same size
where --keep says so.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.index_data import Size, sizes
from tests.bench.index_world import World, open_world, workloads
from tests.support.peers import REPOSITORY


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when every goal is met, else 1."""
    chosen = _parser().parse_args(arguments)
    size = Size(chosen.studies, chosen.instances, chosen.sites)
    scratch: Path = chosen.scratch
    try:
        with machine.kept_awake() as idle, open_world(scratch, size, _say) as world:
            found = _measure(world, chosen)
    finally:
        if not chosen.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    found["machine"] = machine.describe(REPOSITORY) | {"idle processor": idle}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    if chosen.json is not None:
        chosen.json.write_text(text, encoding="utf-8")
    return 0 if all(row["met"] for row in found["rows"]) else 1


def _measure(world: World, chosen: argparse.Namespace) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    wanted = {name for text in chosen.rows for name in text.split(",") if name}
    print(f"{'asked':34} {'by':7} {'median':>9} {'p95':>9} {'goal':>7} {'results':>8}")  # noqa: T201 -- its output
    for workload in workloads(world.size, chosen.page):
        if wanted and workload.name not in wanted:
            continue
        for who in ("centre", "site"):
            world.ask(workload, who, 5, seed=2)
            answered = world.ask(workload, who, chosen.repeats)
            met = answered.p95 < workload.goal_ms
            print(  # noqa: T201 -- its output
                f"{workload.title:34} {who:7} {answered.median:6.1f} ms {answered.p95:6.1f} ms"
                f" {workload.goal_ms:4.0f} ms {answered.results:8.1f}{'' if met else '  MISSED'}"
            )
            rows.append(
                {
                    "name": workload.name,
                    "who": who,
                    "p95_ms": round(answered.p95, 2),
                    "median_ms": round(answered.median, 2),
                    "goal_ms": workload.goal_ms,
                    "results": answered.results,
                    "met": met,
                }
            )
    if not wanted or "insert" in wanted:
        rates = world.insert_rates(chosen.batches)
        share = rates["full"] / rates["empty"]
        print(  # noqa: T201 -- its output
            f"{'filing instances, empty and full':34} {rates['empty']:.0f} and {rates['full']:.0f}"
            f" instances/s: {share:.0%}"
        )
        rows.append({"name": "insert", "rates": rates, "share": share, "met": share >= 0.9})
    return {
        "studies": world.size.studies,
        "instances": world.size.instances,
        "page": chosen.page,
        "rows": rows,
        "bytes": sizes(world.full),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--instances", type=int, default=20_000_000)
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--page", type=int, default=50, help="results on a page")
    parser.add_argument("--repeats", type=int, default=100, help="questions of each kind")
    parser.add_argument("--batches", type=int, default=100, help="batches of 100 instances filed")
    parser.add_argument("--rows", action="append", default=[], help="names, comma-separated")
    parser.add_argument("--json", type=Path, help="where every figure is written")
    parser.add_argument("--keep", action="store_true", help="keep the data for another run")
    parser.add_argument("--scratch", type=Path, default=REPOSITORY / "var" / "bench" / "index")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- a person waits


if __name__ == "__main__":
    sys.exit(main())
