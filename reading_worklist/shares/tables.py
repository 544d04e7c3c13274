"""Tables of the links that show one study to somebody outside, and of who came by them."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class ShareLink(Base):
    """A link to one study.

    token_sha256: of the token in the link, which is not kept, hexadecimal.
    code_sha256: of the token and a code that is told another way; None: the link is enough.
    wrong_codes: how often a wrong code was given; a link ends by too many.
    recipient: for whom it was made, as its maker says. basis: why that is allowed.
    with_report: the report that stands is shown as well.
    """

    __tablename__ = "share_link"
    __table_args__ = (
        CheckConstraint("length(token_sha256) = 64", name="hash"),
        CheckConstraint("expires_at > made_at", name="order"),
        CheckConstraint("recipient <> '' AND basis <> ''", name="said"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="revoked"),
        Index("ix_share_link_workitem_id", "workitem_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workitem_id: Mapped[UUID] = mapped_column(ForeignKey("workitem.id"))
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    token_sha256: Mapped[str] = mapped_column(unique=True)
    code_sha256: Mapped[str | None]
    wrong_codes: Mapped[int] = mapped_column(default=0)
    recipient: Mapped[str]
    basis: Mapped[str]
    with_report: Mapped[bool]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_for: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class ShareVisit(Base):
    """Somebody has opened a link; his browser shows what it leads to until the visit ends.

    token_sha256: of the token in his cookie.
    """

    __tablename__ = "share_visit"
    __table_args__ = (CheckConstraint("length(token_sha256) = 64", name="hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    link_id: Mapped[UUID] = mapped_column(ForeignKey("share_link.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    client: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ends_at: Mapped[datetime]
