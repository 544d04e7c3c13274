"""Counting what happens, over all processes of a machine, for whoever watches it.

Values are kept in small files that the processes of a machine share (`enable`); any of them can
show all (`exposition`). Where nothing was enabled, in commands and tests, counting does nothing.
A process that is started again goes on where its counters stood.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy.orm import Session

from storage.after_commit import after_commit as call_after_commit
from storage.metering.table import METRICS, Kind

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the files; set by whoever calls `enable`."""


class _Meter:
    """The metrics of one process, made at their first use."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        self._making = threading.Lock()

    def child(self, name: str, labels: tuple[str, ...]) -> Any:  # noqa: ANN401 -- as below
        """Return a metric, or the one of it with these labels: there are few, and each is kept."""
        key = (name, *labels)
        found = self._children.get(key)
        if found is None:
            metric = self.metric(name)
            found = self._children[key] = metric.labels(*labels) if labels else metric
        return found

    def metric(self, name: str) -> Any:  # noqa: ANN401 -- loaded with the library
        found = self._made.get(name)
        if found is not None:
            return found
        # Two of one name would each go on from a value of their own.
        with self._making:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> Any:  # noqa: ANN401 -- as above
        from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

        one = METRICS[name]
        common: dict[str, Any] = {"labelnames": one.labels, "registry": None}
        if one.kind is Kind.COUNTER:
            return Counter(name, one.meaning, **common)
        if one.kind is Kind.HISTOGRAM:
            return Histogram(name, one.meaning, buckets=one.buckets, **common)
        mode = "sum" if one.kind is Kind.LEVEL else "mostrecent"
        return Gauge(name, one.meaning, multiprocess_mode=mode, **common)


_meter: _Meter | None = None
_lock: BinaryIO | None = None


def enable(directory: Path, process: str) -> None:
    """Count in this process from now on, in files of `directory` under the name `process`.

    After a fork the child calls it again. A second process of one name counts under its number.
    `VARIABLE` must name the same directory.
    """
    global _meter, _lock  # noqa: PLW0603 -- one for the process, as its logging is
    from prometheus_client import values  # noqa: PLC0415 -- by who counts

    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory / f"{process}.lock").open("ab")
    name = process
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        name = f"{process}-{os.getpid()}"
    else:
        _lock = lock
    untyped: Any = values
    untyped.ValueClass = untyped.MultiProcessValue(lambda: name)
    _meter = _Meter()
    for one in METRICS.values():
        if one.kind is Kind.LEVEL:
            # What it stood at when this process died does not hold any more.
            put(one.name, 0)


def disable() -> None:
    """Count nothing any more."""
    global _meter, _lock  # noqa: PLW0603 -- as above
    _meter = None
    if _lock is not None:
        _lock.close()
        _lock = None


def count(name: str, *labels: str, by: float = 1) -> None:
    """Add to a counter, or to a level."""
    if _meter is not None:
        _meter.child(name, labels).inc(by)


def observe(name: str, value: float, *labels: str) -> None:
    """Enter one value into a histogram; a negative one, of clocks that differ, counts as 0."""
    if _meter is not None:
        _meter.child(name, labels).observe(max(value, 0.0))


def put(name: str, value: float, *labels: str) -> None:
    """Set a gauge."""
    if _meter is not None:
        _meter.child(name, labels).set(value)


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Count something once the transaction of `session` has committed, and only then."""
    if _meter is not None:
        call_after_commit(session, act)


def is_enabled() -> bool:
    """Tell whether this process counts."""
    return _meter is not None
