"""Whose work a thread or task is doing: of everybody, or of somebody who reaches some rows alone.

A request is begun by nobody (`no_sites_yet`) and says who it is once it knows (`see`); from then on
all its transactions are of that reach, in whatever thread they run, so that a route cannot forget
it. Work that is nobody's request (receiving, tasks, commands) has no reach and sees everything.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Standing(StrEnum):
    """In which database role somebody's transactions work.

    SITES: rows of his sites, in every table that somebody who treats or writes has to do with.
    EXPERT: these, and what consultations share with a person.
    OPERATOR: who keeps machines running; of his sites, but nothing of what is read or written.
    AUDITOR: the trail, and of his sites what an auditor is shown. REGULATOR: numbers, no names.
    """

    SITES = "rdc_site"
    EXPERT = "rdc_expert"
    OPERATOR = "rdc_operator"
    AUDITOR = "rdc_auditor"
    REGULATOR = "rdc_regulator"


@dataclass(frozen=True, slots=True)
class Reach:
    """The rows that somebody's transactions see: of these sites, as far as his standing goes.

    person: with whom consultations are shared; None but for an expert.
    """

    sites: frozenset[UUID]
    standing: Standing = Standing.SITES
    person: UUID | None = None


class _Request:
    """What a request reaches; shared by all the copies that its threads have of its context."""

    __slots__ = ("reach",)

    def __init__(self, reach: Reach | None) -> None:
        self.reach = reach


_request: Final[ContextVar[_Request | None]] = ContextVar("rdc_reach", default=None)


def reach() -> Reach | None:
    """Return what the current work sees; None: every row."""
    current = _request.get()
    return None if current is None else current.reach


def see(reached: Reach | None) -> None:
    """Say whose the current request is from now on; None: who sees every row.

    Outside of `no_sites_yet` and `within` it does nothing: there is no request.
    """
    current = _request.get()
    if current is not None:
        current.reach = reached


@contextmanager
def within(sites: Collection[UUID]) -> Generator[None]:
    """Let the block's transactions see rows of these sites alone; of none, no rows."""
    before = _request.set(_Request(Reach(frozenset(sites))))
    try:
        yield
    finally:
        _request.reset(before)


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
    before = _request.set(None)
    try:
        yield
    finally:
        _request.reset(before)
