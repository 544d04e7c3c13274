"""Trying destinations: what a report would meet there, found out without one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Target, opener
from storage import destination_trials
from storage.database import Database
from storage.destination_trials import DestinationTrial, Finding, Tried
from storage.registry import Destination, DestinationKind, RegistryRefused

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TriedDestination:
    """A destination and what came of its trial."""

    id: UUID
    kind: DestinationKind
    label: str
    tried: Tried


def try_out(target: Target, config: ReturnsConfig) -> Tried:
    """Return what a report would meet at a destination; raises nothing.

    Nothing of a patient is sent, and of a queue nothing is used: it takes a connection of its own.
    """
    try:
        channel = opener(target.kind)(target, config)
        try:
            return channel.try_out()
        finally:
            channel.close()
    except Exception as error:  # noqa: BLE001 -- a person waits for an answer, whatever it is
        _log.exception("trial failed", extra={"destination_id": str(target.id)})
        return Tried(Finding.NOT_SET_UP, f"error of ours: {type(error).__name__}")


def try_now(
    database: Database,
    config: ReturnsConfig,
    *,
    site_id: UUID | None = None,
    destination_id: UUID | None = None,
) -> Sequence[TriedDestination]:
    """Try one destination, or the active ones of a site, oldest first, from this machine.

    What is found is what pages show as the last trial, too.
    """
    with database.transaction() as session:
        wanted = (
            Destination.id == destination_id
            if destination_id is not None
            else (Destination.site_id == site_id) & Destination.active
        )
        rows = session.scalars(
            select(Destination).where(wanted).order_by(Destination.created_at, Destination.id)
        ).all()
        asked = [(one, destination_trials.ask(session, one.id, None)) for one in rows]
        # Nobody else shall begin what is begun here.
        for one, _ in asked:
            destination_trials.take(session, one.id)
    return [_tried(database, config, one, trial_id) for one, trial_id in asked]


def serve_trial(destination_id: UUID, database: Database, config: ReturnsConfig) -> None:
    """Make the trial of a destination that was asked for; does nothing when there is none."""
    with database.transaction() as session:
        row = session.get(DestinationTrial, destination_id)
        if row is None or row.ended_at is not None:
            return
        destination, trial_id = session.get_one(Destination, destination_id), row.id
    _tried(database, config, destination, trial_id)


def _tried(
    database: Database, config: ReturnsConfig, destination: Destination, trial_id: UUID
) -> TriedDestination:
    try:
        tried = try_out(Target.of(destination), config)
    except RegistryRefused as error:
        tried = Tried(Finding.NOT_SET_UP, str(error))
    with database.transaction() as session:
        destination_trials.note(session, destination.id, trial_id, tried)
    return TriedDestination(destination.id, destination.kind, destination.label, tried)
