"""Whose work a thread or task is doing: of everybody, or for some sites alone.

A request is begun by nobody (`no_sites_yet`) and says who it is once it knows (`see`); from then on
all its transactions are of that reach, in whatever thread they run, so that a route cannot forget
it. Work that is nobody's request (receiving, tasks, commands) has no reach and sees everything.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from uuid import UUID


class _Reach:
    """What a request reaches; shared by all the copies that its threads have of its context."""

    __slots__ = ("sites",)

    def __init__(self, sites: frozenset[UUID] | None) -> None:
        self.sites = sites


_reach: Final[ContextVar[_Reach | None]] = ContextVar("rdc_reach", default=None)


def reach() -> frozenset[UUID] | None:
    """Return the sites whose rows the current work sees; None: every row."""
    current = _reach.get()
    return None if current is None else current.sites


def see(sites: Collection[UUID] | None) -> None:
    """Say of which sites the current request is from now on; None: of every one.

    Outside of `no_sites_yet` and `within` it does nothing: there is no request.
    """
    current = _reach.get()
    if current is not None:
        current.sites = None if sites is None else frozenset(sites)


@contextmanager
def within(sites: Collection[UUID]) -> Generator[None]:
    """Let the block's transactions see rows of these sites alone; of none, no rows."""
    before = _reach.set(_Reach(frozenset(sites)))
    try:
        yield
    finally:
        _reach.reset(before)


@contextmanager
def no_sites_yet() -> Generator[None]:
    """Begin a request of which nobody knows yet whose it is: it sees no site's rows."""
    with within(()):
        yield


@contextmanager
def beyond(reason: str) -> Generator[None]:
    """Let the block's transactions see every row, in a request of few sites or of nobody.

    For questions that are decided by something else than a site, such as a secret in hand.

    reason: why that is right here, for whoever reads the code.

    Raises:
        ValueError: no reason was given.
    """
    if not reason:
        message = "say why a request may look beyond its sites"
        raise ValueError(message)
    before = _reach.set(None)
    try:
        yield
    finally:
        _reach.reset(before)
