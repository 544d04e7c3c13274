"""Tokens of machines in every state."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from storage import registry
from storage.clock import utc_now
from storage.registry import MachineProof, MachineScope, MachineToken, Proof, Role
from tests.support.seed import password_hash

if TYPE_CHECKING:
    from tests.support.scene import Scene


def fill(scene: "Scene") -> Mapping[str, str]:
    """Who looks after machines, and what those of two sites show."""
    now = utc_now()
    with scene.database.transaction() as session:
        centre = registry.organisation_by_code(session, "centre")
        east = registry.organisation_by_code(session, "EAST")
        west = registry.organisation_by_code(session, "WEST")
        keeper = registry.add_person(
            session,
            "machinist",
            "钱系统",
            password_hash(),
            organisation=centre,
            roles=[Role.SYSTEM_ADMIN],
        )

        def issued(
            site: registry.Organisation, name: str, scope: MachineScope, days: int
        ) -> MachineToken:
            row = registry.issue_token(
                session, site, name, scope, lifetime=timedelta(days=400), made_by=keeper.id
            ).row
            row.created_at = now - timedelta(days=60)
            row.last_used_at = now - timedelta(minutes=3)
            row.expires_at = now + timedelta(days=days)
            return row

        his = issued(east, "HIS 报告接口", MachineScope.FHIR, 9)
        issued(west, "心电网关", MachineScope.ECG_FILES, 240).last_used_at = None
        old = issued(west, "报告下载", MachineScope.REPORTS, 300)
        successor = registry.rotate_token(session, old.id, made_by=keeper.id).row
        successor.last_used_at = now
        registry.revoke_token(
            session, issued(east, "旧心电工作站", MachineScope.ECG_FILES, 90).id, "设备报废"
        )
        registry.issue_token(
            session,
            east,
            "区域平台前置机",
            MachineScope.FHIR,
            proof=Proof(MachineProof.CERTIFICATE, "3f" * 32),
        )
    return {"token": str(his.id)}
