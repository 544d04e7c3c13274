"""Tables of people who sign in: sessions, guesses, second factors, and who vouches from outside."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class WebSession(Base):
    """A person signed in at a browser, acting for one organisation.

    token_sha256: digest of the cookie's token; the token itself is nowhere in the database.
    csrf_token: what unsafe requests must repeat in a header (double submit, held by the server).
    user_agent: what the browser called itself, for its person to tell it from others.
    second_factor_at: when a second factor was proved last in this session; None: never.
    provider: the identity provider that vouched for the person; None: a password of ours.
    provider_sid: what it calls its own session with that browser; None: it did not tell.
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
    second_factor_at: Mapped[datetime | None]
    provider: Mapped[str | None]
    provider_sid: Mapped[str | None]


class SignInThrottle(Base):
    """How often somebody has tried to sign in without success, and until when nobody may.

    key: digest of a login, an address or both. began_at: the first try that is counted.
    login_key: digest of the login alone, for who lifts what holds it up; None for an address.
    """

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]
    login_key: Mapped[str | None] = mapped_column(index=True)


class SecondFactor(Base):
    """A person's device that shows time-based codes (RFC 6238).

    sealed: its secret, sealed; see `second_factor.Seal`.
    confirmed_at: when the person proved to have it; None: not yet, and it counts for nothing.
    last_step: the time step of the last code that was taken; it and those before are not again.
    """

    __tablename__ = "second_factor"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class RecoveryCode(Base):
    """A code that serves once in place of the device.

    digest: keyed digest of it; see `second_factor.Seal`.
    """

    __tablename__ = "recovery_code"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class EarlierPassword(Base):
    """The hash of a password that a person had before."""

    __tablename__ = "earlier_password"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    password_hash: Mapped[str]
    replaced_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OutsideIdentity(Base):
    """Who a person is at an identity provider, as an administrator has registered it.

    email: in lower case, good for the first sign-in: then the provider's subject is kept.
    subject: what the provider calls the person for ever (claim `sub`); None until then.
    """

    __tablename__ = "outside_identity"
    __table_args__ = (
        UniqueConstraint("provider", "subject"),
        UniqueConstraint("provider", "email"),
        UniqueConstraint("provider", "person_id"),
        CheckConstraint("email IS NOT NULL OR subject IS NOT NULL", name="known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    provider: Mapped[str]
    email: Mapped[str | None]
    subject: Mapped[str | None]
    registered_at: Mapped[datetime] = mapped_column(server_default=func.now())
    linked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class OutsideSignIn(Base):
    """A sign-in that is on its way through an identity provider.

    state_sha256: digest of the `state` that the browser keeps in a cookie and the provider repeats.
    next_path: the page of ours to go on to.
    """

    __tablename__ = "outside_sign_in"

    state_sha256: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    nonce: Mapped[str]
    code_verifier: Mapped[str]
    next_path: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class OutsideLogout(Base):
    """That a provider has told of a sign-out; kept until its token can be shown to nobody again.

    jti: the token's own name. subject, sid: whose sessions ended, and which; one of them may be
        None. at: when the provider says it was.
    """

    __tablename__ = "outside_logout"

    provider: Mapped[str] = mapped_column(primary_key=True)
    jti_sha256: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str | None]
    sid: Mapped[str | None]
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
