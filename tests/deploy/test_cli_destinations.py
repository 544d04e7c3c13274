"""`rdc destination` against a database: every kind is connected, listed, paused and switched."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from storage.database import Database
from storage.registry import Destination, DestinationKind
from tests.pacs_gateway.returns.mllp_peer import peer
from tests.support.ports import dead_port
from tests.support.seed import Consortium

SETTINGS = {
    "dicom": ["ae_title=EAST_PACS", "host=10.1.2.3", "port=104"],
    "hl7": ["host=10.1.2.4", "port=2575", "tls.authorities=/etc/rdc/ca.pem", "content=text"],
    "fhir": ["url=https://his.example/fhir"],
    "webhook": ["url=https://his.example/hook", "secret_file=/etc/rdc/hook"],
    "notice": ["way=email", "host=mail.example", 'recipients=["a@east.example"]', "sender=x@y.cn"],
}


@pytest.fixture(autouse=True)
def known(database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line works with the test's database."""
    Consortium(database)
    monkeypatch.setenv("RDC_DATABASE_URL", database_url)


def rdc(*words: str) -> str:
    done = CliRunner().invoke(app, ["destination", *words], catch_exceptions=True)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def refused(*words: str) -> str:
    done = CliRunner().invoke(app, ["destination", *words], catch_exceptions=True)
    assert done.exit_code != 0
    return f"{done.output} {done.exception}"


def listed() -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in json.loads(rdc("list", "--json"))}


def test_every_kind_is_connected_listed_held_and_switched_off(database: Database) -> None:
    for kind, settings in SETTINGS.items():
        rdc("connect", "EAST", kind, *settings, "--name", f"our {kind}")
    assert set(listed()) == {kind.value for kind in DestinationKind}
    hl7 = listed()["hl7"]["destination_id"]
    with database.transaction() as session:
        kept = session.get_one(Destination, hl7)
        assert kept.settings["tls"] == {"authorities": "/etc/rdc/ca.pem"}
        assert kept.label == "our hl7 · 10.1.2.4:2575"
    rdc("pause", hl7, "their upgrade")
    assert listed()["hl7"]["state"] == "paused"
    assert "paused" in refused("probe", hl7)
    rdc("resume", hl7)
    rdc("probe", hl7)
    rdc("change", hl7, "host=10.1.2.5", "port=2576")
    rdc("switch", hl7, "off")
    found = listed()["hl7"]
    assert (found["state"], found["label"]) == ("off", "our hl7 · 10.1.2.5:2576")
    assert "0 redirected" in rdc("redirect", hl7, listed()["dicom"]["destination_id"], "gone")
    assert "our dicom" in rdc("list")


def test_a_site_is_tried_and_each_of_its_destinations_told_of(tmp_path: Path) -> None:
    with peer(lambda _: []) as receiver:
        rdc("connect", "EAST", "hl7", "host=127.0.0.1", f"port={receiver.port}")
        rdc("test", "EAST", "--data-dir", str(tmp_path))
        rdc("connect", "EAST", "dicom", "ae_title=GONE", "host=127.0.0.1", f"port={dead_port()}")
        told = refused("test", "EAST")
        assert "well   hl7" in told
        assert "FAULT  dicom  GONE" in told
        assert "firewall" in told
        found = json.loads(rdc("test", listed()["hl7"]["destination_id"], "--json"))
    assert [(one["works"], one["finding"]) for one in found] == [(True, "reached")]


def test_a_centre_says_when_people_are_told() -> None:
    assert "silent 10 min, unopened 1440" in rdc("deadlines", "county", "--silent-minutes", "10")
    below = rdc("deadlines", "EAST", "--unopened-stat-minutes", "15", "--always-open")
    assert below == "EAST: silent 10 min, unopened 1440 min, STAT 15 min, always by a person\n"
    assert "at least 1" in refused("deadlines", "EAST", "--silent-minutes", "0")


def test_what_cannot_be_is_refused_and_a_secret_is_never_shown() -> None:
    assert "NAME=VALUE" in refused("connect", "EAST", "hl7", "host")
    assert "one of dicom" in refused("connect", "EAST", "pigeon", "a=b")
    told = refused("connect", "EAST", "webhook", "url=https://h.example/", "secret=hush")
    assert "secret_file" in told
    assert "hush" not in told
    assert "port*" in rdc("kinds")
