"""Where a study's time goes: one trace for each, over all processes that it passes through.

A trace's id is made from the site and the Study Instance UID, and so is that of its root span.
Whoever works on a study therefore adds to its trace without having been handed anything, also after
days, over a broker that forgets, or on another machine; and the UID itself does not leave the
house. Spans hold counts, kinds and states, never anything of a patient.

Where nothing was enabled, every function here returns at once.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from storage.after_commit import after_commit as call_after_commit

_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work (OpenTelemetry's span). trace_id, span_id, parent_id: hexadecimal.

    parent_id: "" of the root. failed: whether it did not do what it was to do.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    began_at: datetime
    ended_at: datetime
    attributes: dict[str, Value] = field(default_factory=dict[str, Value])
    failed: bool = False


Sink = Callable[[Span], None]
"""Takes a span; it neither waits nor raises."""

_sink: Sink | None = None


def enable(sink: Sink | None) -> None:
    """Give spans to `sink` from now on; None: to nobody."""
    global _sink  # noqa: PLW0603 -- one for the process, as its logging is
    _sink = sink


def is_enabled() -> bool:
    """Tell whether somebody takes spans."""
    return _sink is not None


def trace_of(site_id: UUID, study_instance_uid: str) -> tuple[str, str]:
    """Return the ids of a study's trace and of its root span."""
    digest = hashlib.sha256(f"{site_id}|{study_instance_uid}".encode()).digest()
    return digest[:_TRACE_BYTES].hex(), digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES].hex()


def note(
    site_id: UUID,
    study_instance_uid: str,
    name: str,
    began_at: datetime,
    ended_at: datetime,
    *,
    is_root: bool = False,
    failed: bool = False,
    **attributes: Value,
) -> None:
    """Add a span to a study's trace.

    is_root: it is the one that spans the whole walk.
    """
    if _sink is None:
        return
    trace_id, root_id = trace_of(site_id, study_instance_uid)
    _sink(
        Span(
            trace_id,
            root_id if is_root else secrets.token_hex(_SPAN_BYTES),
            "" if is_root else root_id,
            name,
            began_at,
            max(began_at, ended_at),
            attributes,
            failed,
        )
    )


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Note something once the transaction of `session` has committed, and only then."""
    if _sink is not None:
        call_after_commit(session, act)
