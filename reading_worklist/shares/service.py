"""Making, opening and taking back links to one study.

Each function works in its caller's transaction.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.modalities import examined
from reading_worklist.problems import Problem, not_found
from reading_worklist.reports.queries import standing_version
from reading_worklist.reports.tables import ReportVersion
from reading_worklist.shares.guests import Guest
from reading_worklist.shares.schemas import (
    MadeShare,
    ShareBody,
    SharedReport,
    SharedStudy,
    Shares,
    ShareView,
)
from reading_worklist.shares.tables import ShareLink, ShareVisit
from reading_worklist.workitems.tables import Workitem
from storage import audit
from storage.clock import utc_now
from storage.index.tables import Patient, Study
from storage.person_name import display_name
from storage.registry import Organisation, Person, Role

MAKERS: Final = (Role.WRITER, Role.REVIEWER, Role.SITE_DOCTOR)
VISIT: Final = timedelta(hours=2)
WRONG_CODES_MAX: Final = 10
_TOKEN_BYTES: Final = 32
_CODE_DIGITS: Final = 6
_TOO_MANY: Final = "too many wrong codes"


def listed(session: Session, scope: Scope, workitem_id: UUID) -> Shares:
    """Return the links to an exam, the newest first.

    Raises:
        Problem: 403 for who may make none, 404 for an unseen exam.
    """
    _exam(session, scope, workitem_id)
    opened = (
        select(
            ShareVisit.link_id,
            func.count().label("number"),
            func.max(ShareVisit.opened_at).label("last"),
        )
        .group_by(ShareVisit.link_id)
        .subquery()
    )
    rows = session.execute(
        select(ShareLink, Person.display_name, opened.c.number, opened.c.last)
        .join(Person, Person.id == ShareLink.made_by)
        .join(opened, opened.c.link_id == ShareLink.id, isouter=True)
        .where(ShareLink.workitem_id == workitem_id)
        .order_by(ShareLink.made_at.desc(), ShareLink.id)
    ).all()
    now = utc_now()
    return Shares(
        items=[
            ShareView(
                id=link.id,
                recipient=link.recipient,
                basis=link.basis,
                with_report=link.with_report,
                with_code=link.code_sha256 is not None,
                made_by=maker,
                made_at=link.made_at,
                ends_at=link.revoked_at or link.expires_at,
                active=link.revoked_at is None and link.expires_at > now,
                revoked_because=link.revoked_because if link.revoked_by else None,
                guessed=link.revoked_at is not None and link.revoked_by is None,
                opened=number or 0,
                last_opened_at=last,
            )
            for link, maker, number, last in rows
        ]
    )


def make(
    session: Session,
    scope: Scope,
    workitem_id: UUID,
    body: ShareBody,
    public_url: str,
) -> MadeShare:
    """Make a link to an exam's study, and the code that opens it where one is wanted.

    Raises:
        Problem: 403 for who may not share, 404 for an unseen exam.
    """
    item = _exam(session, scope, workitem_id)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}" if body.with_code else None
    now = utc_now()
    link = ShareLink(
        workitem_id=item.id,
        study_id=item.study_id,
        site_id=item.site_id,
        token_sha256=_digest(token),
        # Without the token, which is not kept, six digits cannot be guessed from it.
        code_sha256=None if code is None else _digest(f"{token}:{code}"),
        recipient=body.recipient,
        basis=body.basis,
        with_report=body.with_report,
        made_by=scope.person_id,
        made_for=scope.organisation_id,
        made_at=now,
        expires_at=now + timedelta(hours=body.hours),
    )
    session.add(link)
    session.flush()
    audit.record(
        session,
        scope.actor,
        "share:make",
        subject_kind="study",
        subject_id=item.study_id,
        detail={
            "share": str(link.id),
            "until": link.expires_at.isoformat(),
            "report": link.with_report,
            "code": code is not None,
        },
    )
    share = next(one for one in listed(session, scope, workitem_id).items if one.id == link.id)
    # Behind the number sign it stands in no log of a server or a proxy.
    url = f"{public_url.rstrip('/')}/share#{token}"
    return MadeShare(share=share, url=url, code=code)


def revoke(session: Session, scope: Scope, share_id: UUID, reason: str) -> UUID:
    """Take a link back; visits end with it. Returns the exam; one that has ended stays so.

    Raises:
        Problem: 403 for who may not share, 404 for an unseen link.
    """
    scope.require(*MAKERS)
    link = session.scalar(
        select(ShareLink)
        .where(ShareLink.id == share_id, scope.sees(ShareLink.site_id))
        .with_for_update()
    )
    if link is None:
        raise not_found("The link")
    if link.revoked_at is None:
        link.revoked_by, link.revoked_at, link.revoked_because = scope.person_id, utc_now(), reason
        audit.record(
            session,
            scope.actor,
            "share:revoke",
            subject_kind="study",
            subject_id=link.study_id,
            detail={"share": str(link.id)},
        )
    return link.workitem_id


def find(session: Session, token: str) -> ShareLink | None:
    """Return the link that a token opens, None for one that is unknown, over or taken back."""
    return session.scalar(
        select(ShareLink).where(
            ShareLink.token_sha256 == _digest(token),
            ShareLink.expires_at > func.now(),
            ShareLink.revoked_at.is_(None),
        )
    )


def code_fits(link: ShareLink, token: str, code: str) -> bool:
    """Tell whether a code opens the link of a token; compared in constant time."""
    if link.code_sha256 is None:
        return True
    return hmac.compare_digest(link.code_sha256, _digest(f"{token}:{code}"))


def note_wrong_code(session: Session, link_id: UUID, client: str) -> None:
    """Count a wrong code; too many end the link, since six digits can be tried out."""
    wrong = session.scalar(
        update(ShareLink)
        .where(ShareLink.id == link_id)
        .values(wrong_codes=ShareLink.wrong_codes + 1)
        .returning(ShareLink.wrong_codes)
    )
    if wrong is not None and wrong >= WRONG_CODES_MAX:
        session.execute(
            update(ShareLink)
            .where(ShareLink.id == link_id, ShareLink.revoked_at.is_(None))
            .values(revoked_at=utc_now(), revoked_because=_TOO_MANY)
        )
    audit.record(
        session,
        audit.Actor(person_id=None, organisation_id=None, client=client),
        "share:refused",
        subject_kind="share_link",
        subject_id=link_id,
    )


def begin_visit(session: Session, link: ShareLink, client: str) -> str:
    """Note that a link was opened; return the token of the visit, for a cookie."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        ShareVisit(
            link_id=link.id,
            token_sha256=_digest(token),
            client=client,
            ends_at=min(link.expires_at, utc_now() + VISIT),
        )
    )
    audit.record(
        session,
        audit.Actor(person_id=None, organisation_id=None, client=client),
        "share:open",
        subject_kind="study",
        subject_id=link.study_id,
        detail={"share": str(link.id)},
    )
    return token


def shown(session: Session, guest: Guest) -> SharedStudy:
    """Return what a guest sees of the study."""
    study, patient, site = session.execute(
        select(Study, Patient, Organisation)
        .join(Patient, Patient.id == Study.patient_id)
        .join(Organisation, Organisation.id == Study.site_id)
        .where(Study.id == guest.study_id)
    ).one()
    version = standing_version(session, guest.workitem_id) if guest.with_report else None
    query = {"StudyInstanceUIDs": guest.study_uid, "share": str(guest.link_id)}
    return SharedStudy(
        share_id=guest.link_id,
        patient_name=display_name(patient.name),
        patient_sex=patient.sex,
        study_date=study.study_date,
        description=study.study_description,
        modalities=examined(study.modalities),
        site=site.name,
        site_en=site.name_en,
        viewer_url=f"/viewer/viewer?{urlencode(query)}",
        ends_at=guest.ends_at,
        report=None
        if version is None
        else SharedReport(
            number=version.number, status=version.status, issued_at=version.issued_at
        ),
    )


def read_report(session: Session, guest: Guest) -> ReportVersion:
    """Return the version that stands, and record that a guest reads it.

    Raises:
        Problem: 404 where none stands, or the link leaves it out.
    """
    version = standing_version(session, guest.workitem_id) if guest.with_report else None
    if version is None:
        raise not_found("The report")
    audit.record(
        session,
        guest.actor,
        "share:report",
        subject_kind="report_version",
        subject_id=version.id,
        detail={"share": str(guest.link_id), "version": version.number},
    )
    return version


def refused() -> Problem:
    """Return the one answer for an unknown link, one that has ended, and a wrong code."""
    return not_found("A link that stands, with this code")


def _exam(session: Session, scope: Scope, workitem_id: UUID) -> Workitem:
    scope.require(*MAKERS)
    item = session.scalar(
        select(Workitem).where(Workitem.id == workitem_id, scope.sees(Workitem.site_id))
    )
    if item is None:
        raise not_found("The exam")
    return item


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
