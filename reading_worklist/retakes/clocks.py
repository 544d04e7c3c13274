"""Until when a site says what becomes of an exam that was sent back."""

from datetime import timedelta
from types import MappingProxyType
from typing import Final

from storage.orders.words import Priority

ANSWER_WITHIN: Final = MappingProxyType(
    {
        Priority.STAT: timedelta(minutes=10),
        Priority.URGENT: timedelta(minutes=30),
        Priority.ROUTINE: timedelta(hours=4),
    }
)
"""From the request on; after it the dispatcher's telephone list has it."""
