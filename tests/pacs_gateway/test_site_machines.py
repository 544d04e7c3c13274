"""The machines of a site that we play, against a gateway."""

from pathlib import Path

from deploy.demo.phantom import write_phantom
from pacs_gateway.gateway import Gateway
from pacs_gateway.site_machines import send
from storage.database import Database
from storage.index.tables import Instance
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.test_store import count, drained


def test_a_played_modality_sends_a_series(
    gateway: Gateway, database: Database, site: Site, tmp_path: Path
) -> None:
    files = write_phantom(
        tmp_path,
        slices=3,
        patient_name="Zhang^San",
        patient_id="P1",
        accession_number="A1",
        study_date="20260314",
    )
    sent = send("127.0.0.1", gateway.bound_port, called="RDC", calling=site.ae_title, files=files)
    assert sent.instances == len(files)
    drained(gateway)
    assert count(database, Instance) == len(files)
