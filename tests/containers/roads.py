"""The demonstration's consortium at a centre that is not of this process's making."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import update

from deploy.demo.consortium import SITES, seed
from deploy.demo.walk import Road
from pacs_gateway.site_machines import SitePacs
from reading_worklist.signing.authority import Authority
from storage import registry
from storage.database import Database
from storage.registry import Device

DICOM_PORT: Final = 11112
HTTP_PORT: Final = 8080
QUIET_SECONDS: Final = 2.0


@contextmanager
def road_to(
    centre: str, *, here: str, database: Database, authority: Authority, directory: Path
) -> Generator[Road]:
    """Seed the consortium and run the sites' PACS; the sites' devices are on this machine.

    centre, here: the addresses of the centre and, as it sees it, of this machine.
    """
    with ExitStack() as running:
        running.callback(database.close)
        people = seed(database, authority, directory / "demo-sign-ins.json")
        pacs = {
            one.code: running.enter_context(
                SitePacs(one.pacs_ae, directory / "pacs" / one.code, host=here)
            )
            for one in SITES
        }
        with database.transaction() as session:
            session.execute(update(Device).values(addresses=[f"{here}/32"]))
            for one in SITES:
                organisation = registry.organisation_by_code(session, one.code)
                registry.add_dicom_destination(
                    session, organisation, one.pacs_ae, here, pacs[one.code].port
                )
        yield Road(
            web=f"http://{centre}:{HTTP_PORT}",
            dicom_host=centre,
            dicom_port=DICOM_PORT,
            ae_title="RDC",
            quiet_seconds=QUIET_SECONDS,
            anchors=(authority.certificate_pem,),
            pacs=pacs,
            people=people,
        )
