"""Reading the audit trail: searched by who, what, where and when, newest first; or all of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from storage.audit import AuditRecord
from storage.registry import Organisation, Person

_ROWS_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Search:
    """Which records are wanted; None does not narrow.

    action: an action such as ``workitem:claim``, or what stands before its colon.
    login: of who acted. organisations: for which of these was acted; acts of the system itself have
        none and are left out then.
    subject_id: what was acted on. client: an address. since, until: aware times, the second not
        included.
    """

    action: str | None = None
    login: str | None = None
    organisations: frozenset[UUID] | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    client: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its person's login and name and its organisation's code, where it has them."""

    record: AuditRecord
    login: str | None
    display_name: str | None
    organisation: str | None


def page(session: Session, search: Search, *, before: int | None, limit: int) -> list[Entry]:
    """Return up to `limit` records, newest first, of those with an id below `before`."""
    query = _narrowed(search)
    if before is not None:
        query = query.where(AuditRecord.id < before)
    found = session.execute(query.order_by(AuditRecord.id.desc()).limit(limit))
    return [Entry(*row) for row in found]


def following(
    session: Session,
    search: Search | None = None,
    *,
    after: int,
    to_id: int | None = None,
    limit: int,
) -> list[Entry]:
    """Return up to `limit` records, oldest first, with ids above `after` and up to `to_id`."""
    query = _narrowed(search or Search()).where(AuditRecord.id > after)
    if to_id is not None:
        query = query.where(AuditRecord.id <= to_id)
    return [Entry(*row) for row in session.execute(query.order_by(AuditRecord.id).limit(limit))]


def lines(session: Session, search: Search) -> Iterator[str]:
    """Yield records oldest first, each as one line of JSON; memory does not grow with them."""
    query = _narrowed(search).order_by(AuditRecord.id).execution_options(yield_per=_ROWS_AT_ONCE)
    for record, login, _, organisation in session.execute(query):
        yield (
            json.dumps(
                {
                    "id": record.id,
                    "at": record.at.astimezone(UTC).isoformat(),
                    "action": record.action,
                    "person": login,
                    "organisation": organisation,
                    "client": record.client,
                    "subject_kind": record.subject_kind,
                    "subject_id": record.subject_id,
                    "detail": record.detail,
                },
                ensure_ascii=False,
            )
            + "\n"
        )


def _narrowed(search: Search) -> Select[AuditRecord, str, str, str]:
    query = (
        select(AuditRecord, Person.login, Person.display_name, Organisation.code)
        .outerjoin(Person, Person.id == AuditRecord.person_id)
        .outerjoin(Organisation, Organisation.id == AuditRecord.organisation_id)
    )
    if search.action is not None:
        exact = ":" in search.action
        query = query.where(
            AuditRecord.action == search.action
            if exact
            else AuditRecord.action.startswith(f"{search.action}:", autoescape=True)
        )
    if search.login is not None:
        query = query.where(Person.login == search.login)
    if search.organisations is not None:
        query = query.where(AuditRecord.organisation_id.in_(search.organisations))
    for column, wanted in (
        (AuditRecord.subject_kind, search.subject_kind),
        (AuditRecord.subject_id, search.subject_id),
        (AuditRecord.client, search.client),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if search.since is not None:
        query = query.where(AuditRecord.at >= search.since)
    if search.until is not None:
        query = query.where(AuditRecord.at < search.until)
    return query
