"""The audit trail as the API gives it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel


class AuditPerson(BaseModel):
    """Who acted."""

    id: UUID
    login: str
    display_name: str


class AuditEntry(BaseModel):
    """One act. `action` is ``subject:verb``; `detail` has facts of it, never of a patient.

    person: None for what the system or a machine did. organisation: the code of the one acted for.
    client: the network address, machine or process it came from.
    """

    id: int
    at: datetime
    action: str
    person: AuditPerson | None
    organisation: str | None
    client: str
    subject_kind: str
    subject_id: str
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Acts, newest first. before: what to ask with for the next page; None at the end."""

    entries: list[AuditEntry]
    before: int | None


class AuditSealView(BaseModel):
    """The newest seal over the trail: records up to `to_id` can no more be changed unnoticed."""

    sealed_at: datetime
    to_id: int
    records: int
    seal: str
