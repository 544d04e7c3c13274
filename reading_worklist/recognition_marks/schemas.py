"""Marks as the API gives and takes them."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator


def _word(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


class MarkBody(BaseModel):
    """Which exams of a site carry a mark, from which day to which, both included, and by what.

    valid_until: None while no end is known. mark: as it is printed.
    """

    site_code: Annotated[str, Field(min_length=1, max_length=64)]
    modality: Annotated[str, _word(16)]
    mark: Annotated[str, _word(16)] = "HR"
    basis: Annotated[str, _word(200)]
    valid_from: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            message = "valid_until must not be before valid_from"
            raise ValueError(message)
        return self


class MarkEndBody(BaseModel):
    """The last day on which a mark holds, and why it ends."""

    last_day: date
    reason: Annotated[str, _word(1000)]


class MarkView(BaseModel):
    """A mark of a visible site; those that have ended stay in the list."""

    id: UUID
    site_code: str
    site_name: str
    site_name_en: str
    modality: str
    mark: str
    basis: str
    valid_from: date
    valid_until: date | None
