"""Agreements and links as the API gives and takes them."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from storage.agreements.tables import Service
from storage.registry import OrganisationKind

_Code = Annotated[str, Field(min_length=1, max_length=100)]
_Text = Annotated[str, Field(min_length=1, max_length=500)]


class AgreementBody(BaseModel):
    """An agreement; organisations by their codes, both days included.

    document: what it is written in, such as the number of the contract.
    """

    service: Service
    provider: _Code
    client: _Code
    valid_from: date
    valid_until: date | None = None
    document: _Text

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            message = "valid_until must not be before valid_from"
            raise ValueError(message)
        return self


class PartyView(BaseModel):
    """An organisation that takes part in agreements."""

    code: str
    name: str
    name_en: str
    kind: OrganisationKind


class AgreementView(BaseModel):
    """An agreement; `holds` tells whether it does today."""

    id: UUID
    service: Service
    provider: PartyView
    client: PartyView
    valid_from: date
    valid_until: date | None
    document: str
    made_by: str | None
    made_at: datetime
    ended_at: datetime | None
    holds: bool


class LinkBody(BaseModel):
    """Two patients who are one person, and how that is known."""

    patient_id: UUID
    other_id: UUID
    reason: _Text
