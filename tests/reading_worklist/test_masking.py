"""Who needs no identity is shown none; `test_access` asks every route as such people."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from pydantic import BaseModel

from reading_worklist.access.masking import masked_name, masked_number, sees_identity, shown_to
from reading_worklist.access.scope import Scope
from storage.registry import OrganisationKind, Role

NUMBER = UUID(int=7)
SOMEBODY = Scope(
    person_id=NUMBER,
    login="x",
    display_name="x",
    organisation_id=NUMBER,
    organisation_code="c",
    organisation_name="c",
    organisation_name_en="c",
    organisation_kind=OrganisationKind.CENTRE,
    roles=frozenset({Role.SYSTEM_ADMIN}),
    site_ids=frozenset(),
    csrf_token="",
    client="",
)


class Patient(BaseModel):
    name: str
    local_id: str | None
    birth_date: date | None


class Line(BaseModel):
    patient: Patient
    site_name: str
    patient_id: UUID | str
    request: str | None = None


class Page(BaseModel):
    items: list[Line]
    total: int


def test_names_numbers_and_birth_dates_are_masked_and_nothing_else() -> None:
    patient = Patient(name="张伟", local_id="P-10042", birth_date=date(1960, 5, 17))
    line = Line(patient=patient, site_name="东河镇", patient_id=NUMBER, request="MSH|…张伟")
    page = Page(items=[line, line.model_copy(update={"patient_id": "P-10042"})], total=2)
    shown = shown_to(SOMEBODY, page)
    assert shown.model_dump()["items"][0] == {
        "patient": {"name": "张*", "local_id": "*****42", "birth_date": date(1960, 1, 1)},
        "site_name": "东河镇",
        "patient_id": NUMBER,
        "request": None,
    }
    assert shown.items[1].patient_id == "*****42"
    assert shown.total == 2
    # What was read is not changed: another asker gets it whole.
    assert page.items[0].patient.name == "张伟"


@pytest.mark.parametrize(
    ("roles", "sees"),
    [
        ({Role.SYSTEM_ADMIN}, False),
        ({Role.REGULATOR, Role.SYSTEM_ADMIN}, False),
        ({Role.SYSTEM_ADMIN, Role.WRITER}, True),
        ({Role.CONSORTIUM_ADMIN}, True),
        ({Role.AUDITOR}, True),
    ],
)
def test_whoever_has_another_role_as_well_sees_who_it_is(roles: set[Role], sees: bool) -> None:  # noqa: FBT001
    scope = replace(SOMEBODY, roles=frozenset(roles))
    assert sees_identity(scope) is sees
    patient = Patient(name="张伟", local_id=None, birth_date=None)
    page = Page(items=[Line(patient=patient, site_name="", patient_id=NUMBER)], total=1)
    assert (shown_to(scope, page) is page) is sees


@pytest.mark.parametrize(("text", "masked"), [("", ""), ("A", "A"), ("Zhang^Wei", "Z********")])
def test_of_a_name_the_first_sign_is_left(text: str, masked: str) -> None:
    assert masked_name(text) == masked


@pytest.mark.parametrize(("text", "masked"), [("", ""), ("1234", "****"), ("12345", "***45")])
def test_of_a_number_the_last_two_signs_are_left(text: str, masked: str) -> None:
    assert masked_number(text) == masked
