"""What all processes of a machine have counted, in Prometheus' text format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.multiprocess import MultiProcessCollector

from storage.metering.table import METRICS, Kind

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Whole:
    """Every metric of the table: those that nobody has counted yet without a value."""

    def __init__(self, directory: Path) -> None:
        self._collector: Any = MultiProcessCollector(None, path=str(directory))

    def collect(self) -> Iterator[Family]:
        """Yield the families in the order of the table."""
        found = {family.name: family for family in self._collector.collect()}
        for one in METRICS.values():
            kind = one.kind.value.partition(",")[0]
            bare = one.name.removesuffix("_total") if one.kind is Kind.COUNTER else one.name
            yield found.get(bare) or Family(bare, one.meaning, kind)


def exposition(directory: Path) -> bytes:
    """Return the metrics of all processes that count in `directory`; without it, bare names."""
    if not directory.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
    families = CollectorRegistry()
    untyped: Any = families
    untyped.register(_Whole(directory))
    return generate_latest(families)
