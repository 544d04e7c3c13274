"""Results as a table for people, as JSON, and as RESULTS.md."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.row import CONTENDERS, RDC, Measured, Row


@dataclass
class Taken:
    """The runs of one contender in one row; `failure` when it did not do the work."""

    runs: list[Measured] = field(default_factory=list[Measured])
    cpu_seconds: list[float] = field(default_factory=list[float])
    failure: str | None = None

    @property
    def median(self) -> float | None:
        """The median of the values; None when a run failed."""
        if self.failure is not None or not self.runs:
            return None
        return statistics.median(run.value for run in self.runs)


@dataclass
class Outcome:
    """One row and what each contender did."""

    row: Row
    taken: dict[str, Taken]

    @property
    def medians(self) -> dict[str, float]:
        """The median of each contender that did the work."""
        return {name: one.median for name, one in self.taken.items() if one.median is not None}

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in a word."""
        return {True: "met", False: "**missed**", None: "not measured"}[self.row.met(self.medians)]

    def cells(self) -> list[str]:
        """The row of the table."""
        medians = self.medians
        ours = medians.get(RDC)
        shown = [self._shown(name) for name in CONTENDERS]
        peer = medians.get(self.row.goal.peer)
        ratio = "" if ours is None or peer is None else f"{self.row.ratio(ours, peer):.2f} ×"
        return [
            self.row.title,
            self.row.unit,
            *shown,
            ratio,
            str(self.row.goal),
            self.verdict,
            *(self._cpu(name) for name in CONTENDERS[:2]),
        ]

    def _shown(self, name: str) -> str:
        one = self.taken.get(name)
        if one is None:
            return ""
        if one.median is None:
            return "failed"
        values = [run.value for run in one.runs]
        spread = f" ({min(values):.4g} to {max(values):.4g})" if len(values) > 1 else ""
        most = max(one.runs, key=lambda run: run.value)
        return f"{one.median:.4g}{spread}" + (f" of {most.of}" if most.of else "")

    def _cpu(self, name: str) -> str:
        one = self.taken.get(name)
        if one is None or not one.cpu_seconds:
            return ""
        return f"{statistics.median(one.cpu_seconds) / self.row.operations * 1000:.3g}"


HEADINGS = (
    *("work", "unit", "rdc", "Orthanc", "DCMTK", "ratio", "goal", "", "CPU ms/op, rdc"),
    "Orthanc",
)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the results as a Markdown table whose columns line up."""
    rows = [list(HEADINGS), *(one.cells() for one in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def write_json(path: Path, machine: Mapping[str, str], outcomes: Sequence[Outcome]) -> None:
    """Keep every value of every run."""
    rows: dict[str, Any] = {
        one.row.name: {
            "title": one.row.title,
            "unit": one.row.unit,
            "goal": str(one.row.goal),
            "met": one.row.met(one.medians),
            "contenders": {
                name: {
                    "median": taken.median,
                    "failure": taken.failure,
                    "cpu_seconds": taken.cpu_seconds,
                    "runs": [{"value": run.value, **run.notes} for run in taken.runs],
                }
                for name, taken in one.taken.items()
            },
        }
        for one in outcomes
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"machine": machine, "rows": rows}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


def write_markdown(path: Path, machine: Mapping[str, str], outcomes: Sequence[Outcome]) -> None:
    """Write the page that is kept in the repository."""
    facts = "\n".join(f"| {name} | {value} |" for name, value in machine.items())
    failures = [
        f"- {one.row.title}, {name}: {taken.failure}"
        for one in outcomes
        for name, taken in one.taken.items()
        if taken.failure is not None
    ]
    page = f"""# Results of `make bench`

Written by the program, not by hand. Medians, in parentheses the lowest and the highest run; peers
alternate with us in the same run. Orthanc is Debian's with its default, durable storage; DCMTK's
storescp writes raw files without index and without fsync: the limit, not a peer. Everything of
ours runs as `rdc up` starts it, with fsync, the embedded PostgreSQL and objects in files. All
DCMTK-based programs have `TCP_NODELAY=1`. CPU time is of all processes of a contender, per
operation.

| | |
|---|---|
{facts}

{table(outcomes)}
"""
    if failures:
        page += "\nFailed:\n\n" + "\n".join(failures) + "\n"
    path.write_text(page, encoding="utf-8")
