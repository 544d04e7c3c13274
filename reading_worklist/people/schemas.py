"""What goes over the wire about people."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from reading_worklist.access.account_routes import OpenSessionView
from storage.registry import OrganisationKind, Role


class RoleState(StrEnum):
    """Whether a role holds on this day."""

    HOLDS = "holds"
    TO_COME = "to-come"
    ENDED = "ended"


class PlaceView(BaseModel):
    """An organisation where people can have roles."""

    code: str
    name: str
    name_en: str
    kind: OrganisationKind


class RoleView(BaseModel):
    """A role at an organisation; provider: the identity provider by whose word it holds."""

    organisation_code: str
    organisation_name: str
    organisation_name_en: str
    role: Role
    valid_from: date
    valid_until: date | None
    provider: str | None
    state: RoleState


class IdentityView(BaseModel):
    """Who a person is at an identity provider; linked_at: of the first sign-in with it."""

    id: UUID
    provider: str
    email: str | None
    subject: str | None
    linked_at: datetime | None
    last_used_at: datetime | None


class KeptPerson(BaseModel):
    """A person.

    active: False: locked out by an administrator. waits_until: too many wrong passwords.
    one_time_password: waits to choose his own. signing_until: None: no signing key in force.
    approved_until: until when he may make a new key; None: he is not approved.
    elsewhere: has roles outside of what the asker administers, who then may not change him.
    """

    id: UUID
    login: str
    display_name: str
    active: bool
    waits_until: datetime | None
    one_time_password: bool
    second_factor_since: datetime | None
    last_seen_at: datetime | None
    signing_until: datetime | None
    approved_until: datetime | None
    elsewhere: bool
    roles: list[RoleView]


class PersonDetail(KeptPerson):
    """A person with where he is signed in and who else vouches for him."""

    sessions: list[OpenSessionView]
    identities: list[IdentityView]


class PeopleView(BaseModel):
    """The people of what the asker administers, by login.

    editable: whether the asker may change people, or lift locks and end sessions alone.
    providers: the identity providers that people can be registered with.
    """

    people: list[KeptPerson]
    places: list[PlaceView]
    providers: list[str]
    editable: bool


class Period(BaseModel):
    """The first and the last day; None: from today; until further notice."""

    valid_from: date | None = None
    valid_until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            message = "the last day is not before the first"
            raise ValueError(message)
        return self


class RoleBody(Period):
    """A role to give or to change the dates of."""

    organisation: str = Field(min_length=1, max_length=100)
    role: Role


class NewPerson(Period):
    """A person to add, with roles at one organisation."""

    login: str = Field(min_length=1, max_length=100)
    display_name: str = Field(min_length=1, max_length=100)
    organisation: str = Field(min_length=1, max_length=100)
    roles: list[Role] = Field(min_length=1, max_length=len(Role))


class PersonChange(BaseModel):
    """What is changed of a person; None stays."""

    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    active: bool | None = None


class IdentityBody(BaseModel):
    """Who a person is at a provider: its `sub`, or an e-mail address that it verifies."""

    provider: str = Field(min_length=1, max_length=100)
    email: str | None = Field(default=None, max_length=254)
    subject: str | None = Field(default=None, max_length=255)

    @model_validator(mode="after")
    def _one(self) -> "IdentityBody":
        if not (self.email or "").strip() and not (self.subject or "").strip():
            message = "an e-mail address or a subject"
            raise ValueError(message)
        return self


class OneTimePassword(BaseModel):
    """A person and a password that is shown this once, to choose one's own with."""

    person: PersonDetail
    password: str
