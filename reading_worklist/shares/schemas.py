"""Links to somebody outside as the API gives them."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class ShareBody(BaseModel):
    """A new link.

    recipient: for whom. basis: why that is allowed, such as the patient's consent.
    hours: until it ends. with_code: a code is asked for that is told another way.
    """

    recipient: Said
    basis: Said
    hours: Annotated[int, Field(ge=1, le=720)] = 72
    with_report: bool = True
    with_code: bool = True


class RevokeBody(BaseModel):
    """Why a link is taken back."""

    reason: Said


class ShareView(BaseModel):
    """A link, without the token that opens it.

    ends_at: when it ends or was taken back. revoked_because: what who took it back said.
    guessed: it has ended by itself, after too many wrong codes. opened: how often it was opened.
    """

    id: UUID
    recipient: str
    basis: str
    with_report: bool
    with_code: bool
    made_by: str
    made_at: datetime
    ends_at: datetime
    active: bool
    revoked_because: str | None
    guessed: bool
    opened: int
    last_opened_at: datetime | None


class Shares(BaseModel):
    """The links to one exam, the newest first."""

    items: list[ShareView]


class MadeShare(BaseModel):
    """A new link, shown once. code: None without one; it goes another way than the link."""

    share: ShareView
    url: str
    code: str | None


class OpenBody(BaseModel):
    """What somebody outside has in hand."""

    token: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(max_length=20)] = ""


class SharedReport(BaseModel):
    """The report that stands: which version, and since when."""

    number: int
    status: str
    issued_at: datetime


class SharedStudy(BaseModel):
    """What a link shows.

    report: None where none is out, or the link leaves it out.
    """

    share_id: UUID
    patient_name: str
    patient_sex: str | None
    study_date: date | None
    description: str | None
    modalities: list[str]
    site: str
    site_en: str
    viewer_url: str
    ends_at: datetime
    report: SharedReport | None
