"""Who may associate: the allow-list of devices by AE title and address (PS3.8 §7.1.1.7)."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage import audit, registry
from storage.audit import Actor
from storage.database import Database
from storage.receptions import Origin
from storage.registry import Caller, DeviceLimits

_REMEMBERED: Final = 10_000
# Rejections that get into the audit trail: the same one once in this time, and so many in all.
_NOTED_SECONDS: Final = 600.0
_NOTED: Final = 200
# A database whose cable is pulled says nothing for as long as the kernel hopes: a device does not
# wait for that. After such a silence it is not asked for a while, and by so many at once at most.
_PATIENCE_SECONDS: Final = 2.0
_SILENT_SECONDS: Final = 5.0
_ASKING: Final = 4

_log = logging.getLogger(__name__)


class Rejection(Enum):
    """Why an association is refused, as (result, source, reason) of PS3.8 Table 9-21."""

    # The request itself is malformed; the standard has no reason for that.
    NO_REASON_GIVEN = (1, 1, 1)
    CALLED_AE_TITLE_NOT_RECOGNIZED = (1, 1, 7)
    CALLING_AE_TITLE_NOT_RECOGNIZED = (1, 1, 3)
    # Transient: the same request may be accepted in a minute.
    TEMPORARY_CONGESTION = (2, 3, 1)
    LOCAL_LIMIT_EXCEEDED = (2, 3, 2)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A device that may associate: where its instances come from, and what it may take up."""

    origin: Origin
    limits: DeviceLimits


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    at: float


class Admission:
    """Decides about each association request; asks the database, and remembers while it is away."""

    def __init__(
        self,
        database: Database,
        *,
        ae_title: str,
        fresh_seconds: float,
        grace_seconds: float,
        patience_seconds: float = _PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Admit callers of `ae_title`.

        fresh_seconds: for how long a device just admitted is not looked up again.
        grace_seconds: for how long it is still admitted when it cannot be looked up.
        patience_seconds: for how long the database may say nothing.
        """
        self._database = database
        self._ae_title = ae_title
        self._fresh_seconds = fresh_seconds
        self._grace_seconds = grace_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="admission")
        self._silent_until = float("-inf")
        self._known: dict[tuple[str, str], _Known] = {}
        self._noted: dict[tuple[Rejection, str, str], float] = {}
        self._lock = threading.Lock()

    def decide(
        self,
        *,
        called_ae_title: str,
        calling_ae_title: str,
        address: str,
        certificate_sha256: str | None = None,
    ) -> Admitted | Rejection:
        """Return who asks for this association, or why it is refused.

        certificate_sha256: fingerprint of the verified certificate it came with, if any. A device
            that is bound to one is not known without it.
        """
        called, calling = called_ae_title.strip(), calling_ae_title.strip()
        if called != self._ae_title:
            return Rejection.CALLED_AE_TITLE_NOT_RECOGNIZED
        caller = self._caller(calling, address)
        if not isinstance(caller, Caller):
            return caller
        if caller.certificate_sha256 not in {None, certificate_sha256}:
            return Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED
        origin = Origin(
            site_id=caller.site_id,
            device_id=caller.device_id,
            calling_ae_title=calling,
            called_ae_title=called,
            peer_address=address,
        )
        return Admitted(origin, caller.limits)

    def note_rejection(self, rejection: Rejection, *, calling_ae_title: str, address: str) -> None:
        """Leave a record of a rejection in the audit trail, not more than one for each in a while.

        Without the database there is none: the log has it.
        """
        key = (rejection, calling_ae_title, address)
        now = self._clock()
        with self._lock:
            self._noted = {k: at for k, at in self._noted.items() if now - at < _NOTED_SECONDS}
            if key in self._noted or len(self._noted) >= _NOTED:
                return
            self._noted[key] = now
        try:
            with self._database.transaction() as session:
                audit.record(
                    session,
                    Actor(person_id=None, organisation_id=None, client=address),
                    "association:reject",
                    subject_kind="ae_title",
                    subject_id=_plain(calling_ae_title),
                    detail={"reason": rejection.name},
                )
        except (OperationalError, PoolTimeout, DBAPIError) as error:
            _log.warning("rejection not in the audit trail", extra={"error": type(error).__name__})

    def _caller(self, calling: str, address: str) -> Caller | Rejection:
        key = (calling, address)
        now = self._clock()
        known = self._known.get(key)
        if known is not None and now - known.at < self._fresh_seconds:
            return known.caller
        if now < self._silent_until:
            return self._from_memory(known, now, NoAnswer())
        try:
            asked = self._asking.submit(self._look_up, calling, address)
            caller = asked.result(self._patience_seconds)
        except NoAnswer as error:
            self._silent_until = self._clock() + _SILENT_SECONDS
            return self._from_memory(known, now, error)
        except (OperationalError, PoolTimeout, DBAPIError) as error:
            return self._from_memory(known, now, error)
        with self._lock:
            if caller is None:
                self._known.pop(key, None)
                return Rejection.CALLING_AE_TITLE_NOT_RECOGNIZED
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = _Known(caller, now)
        return caller

    def _look_up(self, calling: str, address: str) -> Caller | None:
        with self._database.transaction() as session:
            return registry.find_device(session, calling, address)

    def _from_memory(
        self, known: _Known | None, now: float, error: Exception
    ) -> Caller | Rejection:
        """Decide without the database: admit whom we knew lately; of others nothing can be said."""
        _log.warning("database not reachable for admission", extra={"error": type(error).__name__})
        if known is not None and now - known.at < self._grace_seconds:
            return known.caller
        return Rejection.TEMPORARY_CONGESTION


def _plain(ae_title: str) -> str:
    """Return an AE title that nobody has checked, fit for people to read."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in ae_title.strip()[:16])
