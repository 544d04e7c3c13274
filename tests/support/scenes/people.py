"""People in every state: locked out, waiting, with a one-time password, with roles that change."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from reading_worklist.access import second_factor, throttle
from reading_worklist.access.tables import OutsideIdentity, SecondFactor
from storage import registry
from storage.clock import utc_now
from storage.registry import Membership, Person, Role
from tests.support.seed import password_hash

if TYPE_CHECKING:
    from tests.support.scene import Scene


def fill(scene: "Scene") -> Mapping[str, str]:
    """A doctor with a history, and colleagues with whom something is to be done."""
    today = utc_now().date()
    with scene.database.transaction() as session:
        centre = registry.organisation_by_code(session, "centre")
        east = registry.organisation_by_code(session, "EAST")

        def added(login: str, name: str, role: Role, *, at: registry.Organisation) -> Person:
            return registry.add_person(
                session, login, name, password_hash(), organisation=at, roles=[role]
            )

        doctor = added("heming", "何明 (主治医师)", Role.SITE_DOCTOR, at=east)
        for place, role, begins, ends in (
            (centre, Role.WRITER, 7, 180),
            (centre, Role.QUALITY_CONTROLLER, -400, -30),
        ):
            session.add(
                Membership(
                    person_id=doctor.id,
                    organisation_id=place.id,
                    role=role,
                    valid_from=today + timedelta(days=begins),
                    valid_until=today + timedelta(days=ends),
                )
            )
        session.add(
            OutsideIdentity(person_id=doctor.id, provider="county", email="heming@county.cn")
        )
        new = added("fanli", "范丽", Role.WRITER, at=centre)
        new.must_change_password = True
        for one in (doctor, new):
            session.add(
                SecondFactor(
                    person_id=one.id,
                    sealed=second_factor.Seal.random().close("JBSWY3DPEHPK3PXP", one.id),
                    confirmed_at=utc_now(),
                    last_step=0,
                )
            )
        added("left", "去年离职", Role.REVIEWER, at=centre).active = False
    for _ in range(5):
        with scene.database.transaction() as session:
            throttle.count_try(session, "heming", "10.8.8.8")
    return {"person": str(doctor.id), "new-writer": str(new.id)}
