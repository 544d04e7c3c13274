"""How many connections to PostgreSQL our processes may hold.

Each tells it with its name where the server lists its connections (`rdc web-1/97`), so that the
doctor can add up those of every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.settings import Settings

WEB_POOL: Final = 20
OTHERS: Final = 5
"""For commands, the doctor itself, a backup, somebody with psql."""
# Starlette's: so many requests of one web process are worked on at once.
_WEB_THREADS: Final = 40


@dataclass(frozen=True, slots=True)
class Share:
    """What one process may hold.

    pool: connections that it keeps for one role of the database; as many again may be opened under
        load. more: beside those of its pools, for listening. all: at worst; 0: twice the pool.
    """

    pool: int
    more: int = 0
    all: int = 0

    @property
    def most(self) -> int:
        """How many it may hold at worst."""
        return (self.all or 2 * self.pool) + self.more

    def told(self, process: str) -> str:
        """Return a process's name with what it may hold."""
        return f"{process}/{self.most}"


PLAIN: Final = Share(10)
ECG_INTAKE: Final = Share(4, more=1)
RELAY: Final = Share(2, more=1)


def of_web() -> Share:
    """Return what a web process may hold: for people of every standing, and to hear of changes."""
    empty = Database("postgresql://", pool_size=WEB_POOL)
    return Share(WEB_POOL, more=1, all=empty.most_connections(_WEB_THREADS))


def of_worker(threads: int, settings: Settings) -> Share:
    """Return what a worker may hold that does so many tasks at a time."""
    # Those that wait for a site's network hold no connection meanwhile.
    return Share(min(threads, 2 * settings.worker_threads) + 1)


def of_system(processes: Iterable[str], settings: Settings) -> int:
    """Return how many connections a server has to let in for the processes of one machine.

    processes: their names, as `rdc up` starts them.
    """
    from deploy.celery_app import threads  # noqa: PLC0415 -- loads Celery

    shares: list[Share] = []
    for name in processes:
        match name.partition("-"):
            case ("gateway", _, _):
                # One files what the others receive.
                shares += [PLAIN] * (settings.gateway_listeners + 1)
            case ("web", _, _):
                shares.append(of_web())
            case ("worker", _, queue):
                shares.append(of_worker(threads([queue], settings), settings))
            case ("relay", _, _):
                shares.append(RELAY)
            case ("ecg", _, _):
                shares.append(ECG_INTAKE)
            case _:
                shares.append(PLAIN)
    return sum(one.most for one in shares) + OTHERS
