"""Finding what a person names by hand: a patient by his id at a site, studies by their UIDs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from storage.index.tables import Patient, Study
from storage.registry import Organisation


def site_id_of(session: Session, scope: Scope, site_code: str) -> UUID:
    """Return a visible site by its code.

    Raises:
        Problem: 404 when there is none.
    """
    found = session.scalar(
        select(Organisation.id).where(
            Organisation.code == site_code, Organisation.id.in_(scope.site_ids)
        )
    )
    if found is None:
        raise not_found(f"The site {site_code!r}")
    return found


def patient_id_of(session: Session, scope: Scope, site_code: str, local_id: str) -> UUID:
    """Return the patient with this Patient ID (0010,0020) at a visible site.

    Raises:
        Problem: 404 when there is none.
    """
    site_id = site_id_of(session, scope, site_code)
    found = session.scalar(
        select(Patient.id).where(Patient.site_id == site_id, Patient.local_id == local_id)
    )
    if found is None:
        raise not_found("The patient")
    return found


def study_ids_of(
    session: Session, scope: Scope, site_code: str, study_instance_uids: Sequence[str]
) -> list[UUID]:
    """Return the studies of a visible site with these UIDs, in their order.

    Raises:
        Problem: 404 when the site lacks one.
    """
    site_id = site_id_of(session, scope, site_code)
    rows = session.execute(
        select(Study.study_instance_uid, Study.id).where(
            Study.site_id == site_id, Study.study_instance_uid.in_(study_instance_uids)
        )
    )
    found = {row[0]: row[1] for row in rows}
    for uid in study_instance_uids:
        if uid not in found:
            raise not_found(f"The study {uid}")
    return [found[uid] for uid in study_instance_uids]
