"""How long a study must be quiet to count as complete, however its instances came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType


def _no_modalities() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """Quiet times in seconds.

    default: where the modality is not named. by_modality: by Modality (0008,0060).
    """

    default: float = 30.0
    by_modality: Mapping[str, float] = field(default_factory=_no_modalities)

    def of(self, modality: str | None) -> timedelta:
        """Return the quiet time of a study to which an instance of `modality` came."""
        return timedelta(seconds=self.by_modality.get(modality or "", self.default))
