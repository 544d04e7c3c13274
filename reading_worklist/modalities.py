"""Which modalities of a study people mean when they speak of the exam."""

from collections.abc import Iterable
from typing import Final

_BESIDE: Final = frozenset({"SR", "PR", "KO", "DOC", "REG", "SEG"})


def examined(modalities: Iterable[str]) -> list[str]:
    """Return the modalities that examined, in their order; all where there are no such.

    Results and references beside the images do not count: the study has the report itself.
    """
    every = list(modalities)
    return [one for one in every if one not in _BESIDE] or every
