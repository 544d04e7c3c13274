"""What a draft of an ECG's report has beside its texts: statements picked and values confirmed."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reading_worklist.ecg.statements.library import library

MeasureName = Literal[
    "heart_rate",
    "p_duration",
    "pr",
    "qrs",
    "qt",
    "qtc_bazett",
    "qtc_fridericia",
    "p_axis",
    "qrs_axis",
    "t_axis",
    "rv5",
    "sv1",
    "rv5_sv1",
]
MEASURES: Final[tuple[MeasureName, ...]] = get_args(MeasureName)
"""What a report has of measurements, in the order of the paper."""

UNITS: Final[Mapping[MeasureName, str]] = {
    "heart_rate": "/min",
    "p_axis": "deg",
    "qrs_axis": "deg",
    "t_axis": "deg",
    "rv5": "mV",
    "sv1": "mV",
    "rv5_sv1": "mV",
}
"""Unit by measure; of those that are not here it is ms."""

# Wide enough for every heart, narrow enough for a slip of the finger: 4200 ms, 42 mV.
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "/min": (1, 400),
    "ms": (1, 3000),
    "deg": (-180, 180),
    "mV": (0, 20),
}
_STATEMENTS_MAX: Final = 60


def unit_of(name: str) -> str:
    """Return the unit of a measure."""
    return next((unit for known, unit in UNITS.items() if known == name), "ms")


def written(name: str, value: float) -> str:
    """Return a value as the report prints it: mV to a hundredth, all else whole."""
    return f"{value:.2f}" if unit_of(name) == "mV" else f"{value:.0f}"


class DraftEcg(BaseModel):
    """The ECG part of a draft.

    statements: ids of the library, as they were picked. confirmed: what the doctor takes each
    measure to be; null says that it cannot be measured; one that is not here is not confirmed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    statements: Annotated[list[str], Field(max_length=_STATEMENTS_MAX)] = []
    confirmed: dict[MeasureName, float | None] = {}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for identifier in self.statements:
            if library().get(identifier) is None:
                message = f"not a statement of the library: {identifier[:80]!r}"
                raise ValueError(message)
        for name, value in self.confirmed.items():
            low, high = _LIMITS[unit_of(name)]
            if value is not None and not low <= value <= high:
                message = f"{name} must be {low:g} to {high:g} {unit_of(name)}, or null"
                raise ValueError(message)
        return self

    def still_said(self, *texts: str) -> tuple[str, ...]:
        """Return the picked statements that still stand word for word in one of the texts."""
        said = {one.statement.id for text in texts for one in library().said(text)}
        return tuple(dict.fromkeys(one for one in self.statements if one in said))


NOTHING: Final = DraftEcg()
"""Of a draft that has picked and confirmed nothing."""
