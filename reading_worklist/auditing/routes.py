"""The audit trail over HTTP, for auditors, of their organisation and those below it.

    GET /api/audit?action=&login=&subject_kind=&subject_id=&client=&since=&until=&before=&limit=
        → AuditPage
    GET /api/audit/seal → AuditSealView | null

Whoever looks is recorded as well (DICOM PS3.15 A.5.3.2, Audit Log Used).
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from reading_worklist.auditing.schemas import AuditEntry, AuditPage, AuditPerson, AuditSealView
from reading_worklist.services import Asking, Parts
from storage import audit, audit_seals, audit_trail
from storage.registry import Organisation, Role, visible_organisation_ids
from storage.walls import beyond

router = APIRouter(prefix="/api/audit", tags=["audit"])

_Word = Annotated[str | None, Query(max_length=200)]


@router.get("")
def search_audit_trail(
    *,
    scope: Asking,
    services: Parts,
    action: _Word = None,
    login: _Word = None,
    subject_kind: _Word = None,
    subject_id: _Word = None,
    client: _Word = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Return what was done for the auditor's organisation and those below it, newest first.

    action: one act, or all whose word before the colon it is. Times without a zone are UTC.
    """
    scope.require(Role.AUDITOR)
    asked = {
        "action": action,
        "login": login,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "client": client,
        "since": since,
        "until": until,
    }
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    with (
        beyond("an auditor sees acts by who did them for whom"),
        services.database.transaction() as session,
    ):
        own = select(Organisation.id).where(Organisation.id == scope.organisation_id)
        below = session.scalars(visible_organisation_ids(own.scalar_subquery())).all()
        search = audit_trail.Search(organisations=frozenset(below), **given)  # pyright: ignore[reportArgumentType] -- by name, from the parameters above
        entries = audit_trail.page(session, search, before=before, limit=limit)
        if before is None:
            audit.record(
                session,
                scope.actor,
                "audit:search",
                subject_kind="organisation",
                subject_id=scope.organisation_id,
                detail={name: str(value) for name, value in given.items()},
            )
        return AuditPage(
            entries=[_view(entry) for entry in entries],
            before=entries[-1].record.id if len(entries) == limit else None,
        )


@router.get("/seal")
def get_newest_audit_seal(scope: Asking, services: Parts) -> AuditSealView | None:
    """Return the newest seal over the trail: written down elsewhere, it proves what is below it."""
    scope.require(Role.AUDITOR)
    with beyond("a seal tells of no site"), services.database.transaction() as session:
        seal = audit_seals.newest(session)
        return seal and AuditSealView(
            sealed_at=seal.sealed_at, to_id=seal.to_id, records=seal.records, seal=seal.seal
        )


def _view(entry: audit_trail.Entry) -> AuditEntry:
    record = entry.record
    person = None
    if record.person_id is not None:
        person = AuditPerson(
            id=record.person_id,
            login=entry.login or "",
            display_name=entry.display_name or "",
        )
    return AuditEntry(
        id=record.id,
        at=record.at,
        action=record.action,
        person=person,
        organisation=entry.organisation,
        client=record.client,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        detail=record.detail,
    )
