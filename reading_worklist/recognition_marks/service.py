"""Granting and ending marks of mutual recognition, each within its caller's transaction.

What is printed already stays as it is: a report keeps the mark that held on the day of its exam.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.access.sites import visible_site
from reading_worklist.problems import conflict, not_found
from reading_worklist.recognition_marks.schemas import MarkBody, MarkEndBody, MarkView
from storage import audit, registry
from storage.registry import RecognitionMark, Role


def shown(session: Session, scope: Scope) -> list[MarkView]:
    """Return the marks of visible sites, by site, modality and first day.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    return [
        MarkView(
            id=one.id,
            site_code=site.code,
            site_name=site.name,
            site_name_en=site.name_en,
            modality=one.modality,
            mark=one.mark,
            basis=one.basis,
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
        for one, site in registry.marks(session)
        if one.site_id in scope.site_ids
    ]


def grant(session: Session, scope: Scope, body: MarkBody) -> None:
    """Let a site's exams of a modality carry a mark.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for no visible site, 409 when
            its exams carry one on some of these days already.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    site = visible_site(session, scope, body.site_code, held=True)
    modality = body.modality.upper()
    kept = session.scalars(
        select(RecognitionMark).where(
            RecognitionMark.site_id == site.id, RecognitionMark.modality == modality
        )
    )
    for one in kept:
        ends_before = one.valid_until is not None and one.valid_until < body.valid_from
        begins_after = body.valid_until is not None and one.valid_from > body.valid_until
        if not (ends_before or begins_after):
            raise conflict(
                "already-marked",
                "Exams carry a mark on some of these days already",
                found=f"{one.mark}: {one.valid_from} to {one.valid_until or 'an open end'}",
                remedy="End the other mark, or choose other days.",
            )
    made = registry.grant_mark(
        session,
        site,
        modality,
        mark=body.mark,
        basis=body.basis,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    _record(session, scope, "recognition:grant", made, {"site": site.code})


def end(session: Session, scope: Scope, mark_id: UUID, body: MarkEndBody) -> None:
    """End a mark with a day, the last on which it holds.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for no mark of a visible site,
            409 for a day before its first or after its last: it is ended, never prolonged.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    found = session.scalar(
        select(RecognitionMark)
        .where(RecognitionMark.id == mark_id, scope.sees(RecognitionMark.site_id))
        .with_for_update()
    )
    if found is None:
        raise not_found("The mark")
    too_late = found.valid_until is not None and body.last_day >= found.valid_until
    if body.last_day < found.valid_from or too_late:
        raise conflict(
            "not-in-its-days",
            "The mark does not hold until after that day",
            expected=f"a day from {found.valid_from} to before {found.valid_until or 'any'}",
            found=f"{body.last_day}",
            remedy="Choose a day on which it holds; to prolong it, grant another from the next.",
        )
    registry.end_mark(session, mark_id, body.last_day)
    _record(session, scope, "recognition:end", found, {"reason": body.reason})


def _record(
    session: Session, scope: Scope, action: str, mark: RecognitionMark, detail: Mapping[str, str]
) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="recognition_mark",
        subject_id=mark.id,
        detail={
            "modality": mark.modality,
            "from": str(mark.valid_from),
            "until": str(mark.valid_until or ""),
            "basis": mark.basis,
            **detail,
        },
    )
