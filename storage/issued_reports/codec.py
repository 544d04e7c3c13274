"""An issued report as JSON values and back, without loss."""

from collections.abc import Mapping
from typing import Final, cast

from pydantic import TypeAdapter

from storage.issued_reports.model import IssuedReport

_ADAPTER: Final = TypeAdapter(IssuedReport)


def to_json(report: IssuedReport) -> dict[str, object]:
    """Return the report as JSON values."""
    return cast("dict[str, object]", _ADAPTER.dump_python(report, mode="json"))


def from_json(content: Mapping[str, object]) -> IssuedReport:
    """Return the report that `to_json` wrote; what a newer release has added is left out.

    Raises:
        pydantic.ValidationError: the content is no issued report.
    """
    return _ADAPTER.validate_python(content)
