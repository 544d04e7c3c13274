"""The switch as the API gives and takes it."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from reading_worklist.workitems.schemas import PersonView


class SingleSignatureBody(BaseModel):
    """From which day to which, both included, and by which rule or decision."""

    valid_from: date
    valid_until: date
    basis: Annotated[str, Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.valid_until < self.valid_from:
            message = "valid_until must not be before valid_from"
            raise ValueError(message)
        return self


class SingleSignatureView(BaseModel):
    """One period; `holds` tells whether it does now, `reports` how many were issued under it."""

    id: UUID
    valid_from: date
    valid_until: date
    basis: str
    made_by: PersonView
    made_at: datetime
    ended_by: PersonView | None
    ended_at: datetime | None
    holds: bool
    reports: int
