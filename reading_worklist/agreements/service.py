"""Making and ending agreements; each function works in its caller's transaction."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from reading_worklist.access.scope import Scope
from reading_worklist.agreements.schemas import AgreementBody, AgreementView, LinkBody, PartyView
from reading_worklist.problems import conflict, not_found
from storage import audit
from storage.agreements.tables import Agreement
from storage.civil_day import civil_day
from storage.clock import utc_now
from storage.index.tables import Patient
from storage.patient_links import links
from storage.patient_links.links import LinkRefused
from storage.registry import (
    Organisation,
    OrganisationKind,
    Person,
    Role,
    consortium_of,
    visible_organisation_ids,
)


def shown(session: Session, scope: Scope) -> list[AgreementView]:
    """Return the agreements in which an organisation of the asker's consortium takes part.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    provider, client = aliased(Organisation), aliased(Organisation)
    ours = _ours(session, scope)
    today = session.scalar(select(civil_day()))
    rows = session.execute(
        select(Agreement, provider, client, Person.display_name)
        .join(Person, Person.id == Agreement.made_by, isouter=True)
        .join(provider, provider.id == Agreement.provider_id)
        .join(client, client.id == Agreement.client_id)
        .where(or_(Agreement.provider_id.in_(ours), Agreement.client_id.in_(ours)))
        .order_by(Agreement.made_at.desc(), Agreement.id)
    ).all()
    return [
        AgreementView(
            id=one.id,
            service=one.service,
            provider=_party(giving),
            client=_party(getting),
            valid_from=one.valid_from,
            valid_until=one.valid_until,
            document=one.document,
            made_by=by,
            made_at=one.made_at,
            ended_at=one.ended_at,
            holds=(
                one.ended_at is None
                and today is not None
                and one.valid_from <= today
                and (one.valid_until is None or today <= one.valid_until)
            ),
        )
        for one, giving, getting, by in rows
    ]


def parties(session: Session, scope: Scope) -> list[PartyView]:
    """Return the organisations that agreements can be made between: the consortium, then by code.

    Raises:
        Problem: 403 for anybody but a consortium administrator.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    found = session.scalars(
        select(Organisation).where(Organisation.id.in_(_ours(session, scope)))
    ).all()
    order = list(OrganisationKind)
    return [_party(one) for one in sorted(found, key=lambda one: (order.index(one.kind), one.code))]


def make(session: Session, scope: Scope, body: AgreementBody) -> None:
    """Make an agreement between organisations of the asker's consortium.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for an unknown organisation.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    ours = _ours(session, scope)

    def found(code: str) -> UUID:
        one = session.scalar(
            select(Organisation.id).where(Organisation.code == code, Organisation.id.in_(ours))
        )
        if one is None:
            raise not_found(f"The organisation {code!r}")
        return one

    made = Agreement(
        service=body.service,
        provider_id=found(body.provider),
        client_id=found(body.client),
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        document=body.document,
        made_by=scope.person_id,
    )
    session.add(made)
    session.flush()
    _record(session, scope, "agreement:make", made)


def end(session: Session, scope: Scope, agreement_id: UUID) -> None:
    """End an agreement now.

    Raises:
        Problem: 403 for anybody but a consortium administrator, 404 for an unknown one, 409 for one
            that was ended before.
    """
    scope.require(Role.CONSORTIUM_ADMIN)
    ours = _ours(session, scope)
    found = session.scalar(
        select(Agreement)
        .where(Agreement.id == agreement_id, Agreement.provider_id.in_(ours))
        .with_for_update()
    )
    if found is None:
        raise not_found("The agreement")
    if found.ended_at is not None:
        raise conflict("already-ended", "The agreement was ended before")
    found.ended_at = utc_now()
    found.ended_by = scope.person_id
    _record(session, scope, "agreement:end", found)


def link_patients(session: Session, scope: Scope, body: LinkBody, *, undo: bool) -> None:
    """Decide that two patients are one person, or take that back.

    Raises:
        Problem: 403 for anybody but a dispatcher; 404 for an unseen patient; 409 when the two
            cannot be linked, or are not.
    """
    scope.require(Role.DISPATCHER)
    seen = session.scalars(
        select(Patient.id).where(
            Patient.id.in_((body.patient_id, body.other_id)), scope.sees(Patient.site_id)
        )
    ).all()
    if set(seen) != {body.patient_id, body.other_id}:
        raise not_found("The patient")
    act = links.unlink if undo else links.link
    try:
        act(session, scope.actor, scope.person_id, (body.patient_id, body.other_id), body.reason)
    except LinkRefused as refused:
        raise conflict(
            "not-linked" if undo else "not-linkable",
            refused.what,
            expected=refused.expected,
            found=refused.found,
            remedy=refused.remedy,
        ) from refused


def _party(one: Organisation) -> PartyView:
    return PartyView(code=one.code, name=one.name, name_en=one.name_en, kind=one.kind)


def _ours(session: Session, scope: Scope) -> set[UUID]:
    """Return the ids of all organisations of the asker's consortium."""
    root = consortium_of(session, scope.organisation_id).id
    acting = select(Organisation.id).where(Organisation.id == root).scalar_subquery()
    return set(session.scalars(visible_organisation_ids(acting)))


def _record(session: Session, scope: Scope, action: str, made: Agreement) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="agreement",
        subject_id=made.id,
        detail={
            "service": made.service,
            "provider": str(made.provider_id),
            "client": str(made.client_id),
        },
    )
