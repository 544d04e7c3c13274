"""Tables of signed-in people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class WebSession(Base):
    """A person signed in at a browser, acting for one organisation.

    token_sha256: digest of the cookie's token; the token itself is nowhere in the database.
    csrf_token: what unsafe requests must repeat in a header (double submit, held by the server).
    user_agent: what the browser called itself, for its person to tell it from others.
    """

    __tablename__ = "web_session"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    csrf_token: Mapped[str]
    client: Mapped[str]
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInThrottle(Base):
    """How often somebody has tried to sign in without success, and until when nobody may.

    key: digest of a login, an address or both. began_at: the first try that is counted.
    """

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]
