"""What a line of the log belongs to: set where work begins, found again in every line below it.

Keys and values are ours: identifiers of rows, numbers of associations, never of a patient.
"""

import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

_LENGTH: Final = 12

_current: ContextVar[Mapping[str, str]] = ContextVar("correlation", default=MappingProxyType({}))


def current() -> Mapping[str, str]:
    """Return what the work of this thread or task belongs to."""
    return _current.get()


def new_id() -> str:
    """Return an identifier for a piece of work that has none of its own."""
    return uuid.uuid4().hex[:_LENGTH]


@contextmanager
def correlated(**values: object) -> Generator[None]:
    """Let everything that is logged in the block, in this thread or task, carry `values`."""
    token = _current.set({**_current.get(), **{name: str(one) for name, one in values.items()}})
    try:
        yield
    finally:
        _current.reset(token)
