"""The mark of mutual recognition (互认): which items of which site carry it, and when.

The mark stands for the images or data of an exam, not for its diagnosis. It depends on the
qualification of the examining site for the item on the day of the exam, so a quality check that
failed or lapsed ends it from that day on; what was printed before stays as it was.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base
from storage.registry.organisations import Organisation
from storage.registry.refusal import RegistryRefused


class RecognitionMark(Base):
    """A site's exams of a modality carry a mark between two days, both included.

    mark: as it is printed ("HR", or with the region before it). basis: by which document.
    valid_until: None: no end is known.
    """

    __tablename__ = "recognition_mark"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="days"),
        CheckConstraint("mark <> '' AND basis <> ''", name="words"),
        Index("ix_recognition_mark_site_id_modality", "site_id", "modality"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    modality: Mapped[str]
    mark: Mapped[str]
    basis: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def mark_of(session: Session, site_id: UUID, modality: str, on: date) -> str:
    """Return the mark of a site's exam of a modality on a day; "" when it carries none."""
    return (
        session.scalar(
            select(RecognitionMark.mark)
            .where(
                RecognitionMark.site_id == site_id,
                RecognitionMark.modality == modality,
                RecognitionMark.valid_from <= on,
                or_(RecognitionMark.valid_until.is_(None), RecognitionMark.valid_until >= on),
            )
            .order_by(RecognitionMark.valid_from.desc(), RecognitionMark.created_at.desc())
            .limit(1)
        )
        or ""
    )


def grant_mark(
    session: Session,
    site: Organisation,
    modality: str,
    *,
    mark: str,
    basis: str,
    valid_from: date,
    valid_until: date | None,
) -> RecognitionMark:
    """Let a site's exams of a modality carry a mark.

    Raises:
        RegistryRefused: a word is missing, or the last day is before the first.
    """
    if not (modality.strip() and mark.strip() and basis.strip()) or (
        valid_until is not None and valid_until < valid_from
    ):
        raise RegistryRefused(
            "the recognition mark is not granted",
            expected="modality, mark, basis, and a last day not before the first",
            found=f"{modality!r}, {mark!r}, {basis!r}, {valid_from} to {valid_until}",
            remedy="Correct what is missing.",
        )
    made = RecognitionMark(
        site_id=site.id,
        modality=modality.strip().upper(),
        mark=mark.strip(),
        basis=basis.strip(),
        valid_from=valid_from,
        valid_until=valid_until,
    )
    session.add(made)
    session.flush()
    return made


def end_mark(session: Session, mark_id: UUID, last_day: date) -> RecognitionMark:
    """End a mark with a day, which is the last on which it holds.

    Raises:
        RegistryRefused: there is none, or it began later.
    """
    found = session.get(RecognitionMark, mark_id, with_for_update=True)
    if found is None or last_day < found.valid_from:
        raise RegistryRefused(
            "the recognition mark is not ended",
            expected="one that holds by then",
            found="none" if found is None else f"it begins on {found.valid_from}",
            remedy="See 'rdc recognition list'.",
        )
    found.valid_until = last_day
    return found


def marks(session: Session) -> Sequence[tuple[RecognitionMark, Organisation]]:
    """Return every mark with its site, by site, modality and first day."""
    rows = session.execute(
        select(RecognitionMark, Organisation)
        .join(Organisation, Organisation.id == RecognitionMark.site_id)
        .order_by(Organisation.code, RecognitionMark.modality, RecognitionMark.valid_from)
    ).all()
    return [(one, site) for one, site in rows]
