"""What is told on the telephone: who took it down, and from whom."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from reading_worklist.access.scope import Scope
from reading_worklist.problems import Problem
from reading_worklist.workitems.schemas import PersonView
from storage.registry import OrganisationKind, Role

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class CallBody(BaseModel):
    """Who was rung, under which number, and whether somebody answered."""

    name: Said
    phone: Said
    answered: bool
    note: Line = ""


class PhoneCall(BaseModel):
    """One attempt: who rang whom, when, and whether somebody answered."""

    at: datetime
    by: PersonView
    contact_name: str
    contact_phone: str
    answered: bool
    note: str | None


def at_site(scope: Scope, *roles: Role) -> bool:
    """Tell whether somebody acts for a site in one of `roles`, so with his own name."""
    return scope.organisation_kind is OrganisationKind.SITE and bool(scope.roles & set(roles))


def told_by(name: str | None, role: str | None) -> tuple[str, str]:
    """Return name and role of who told something on the telephone, trimmed.

    Raises:
        Problem: 422 when one of them is missing.
    """
    given, as_what = (name or "").strip(), (role or "").strip()
    if not given or not as_what:
        raise nameless()
    return given, as_what


def nameless() -> Problem:
    """Return the answer for what was told on the telephone by nobody."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "nameless",
        "What was told on the telephone needs the name and role of who told it",
        expected="text in 'name' and 'role'",
        remedy="Ask for them.",
    )
