"""A site's test against real peers, and that nothing of it stays."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from string import Formatter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pynetdicom import AE, evt
from sqlalchemy import func, select, update

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.site_test.devices import shown
from pacs_gateway.site_test.records import clock_of
from pacs_gateway.site_test.returning import clock_of as receivers_clock
from pacs_gateway.site_test.run import SiteTestConfig, attempt, run
from storage import audit
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database
from storage.destination_trials import ClockSeen
from storage.destination_trials import Finding as TrialFinding
from storage.index.tables import Instance, Patient, Series, Study
from storage.objects import ObjectStore
from storage.orders.tables import Order
from storage.outbox import OutboxMessage
from storage.registry import (
    DestinationKind,
    Device,
    add_destination,
    add_dicom_destination,
    issue_token,
    organisation_by_code,
)
from storage.site_tests import service
from storage.site_tests.findings import Check, Finding, Outcome
from storage.site_tests.words import FOUND, LOOKED_AT, Language, told
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.returns.web_peer import Posted, Reply, web_peer

CONFIG = SiteTestConfig(ReturnsConfig("RDC", connect_timeout_seconds=1.0, acse_timeout_seconds=2.0))
VERIFICATION = "1.2.840.10008.1.1"


@pytest.fixture
def peer() -> Iterator[int]:
    """The port of a real AE that answers C-ECHO."""
    ae: Any = AE(ae_title="EAST_PACS")
    ae.add_supported_context(VERIFICATION)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, lambda _: 0x0000)]
    )
    yield server.socket.getsockname()[1]
    server.shutdown()


def by_check(found: list[Finding]) -> dict[tuple[Check, str], Finding]:
    return {(one.check, one.subject): one for one in found}


def test_a_site_is_walked_through_and_nothing_stays(
    database: Database, objects: ObjectStore, site: Site, peer: int
) -> None:
    with database.transaction() as session:
        organisation = organisation_by_code(session, site.code)
        session.execute(
            update(Device).values(
                heard_at=utc_now(),
                listen_host="127.0.0.1",
                listen_port=peer,
                worklist_character_set="GB18030",
            )
        )
        add_dicom_destination(session, organisation, "EAST_PACS", "127.0.0.1", peer)
        gone = add_dicom_destination(session, organisation, "GONE", "127.0.0.1", 1)
        issued = issue_token(session, organisation, "router")
        issued.row.expires_at = utc_now() + timedelta(days=3)
        label, gone_label = f"EAST_PACS (127.0.0.1:{peer})", gone.label
    found = by_check(list(run(site.id, database, objects, CONFIG)))
    expected = {
        (Check.HEARD, "CT1"): "heard",
        (Check.ECHO, "CT1"): "echo",
        (Check.FILING, ""): "filing",
        (Check.CHINESE, ""): "chinese",
        (Check.WORKLIST, "CT1"): "worklist",
        (Check.RECEIVED, "CT1"): "received_none",
        (Check.DESTINATION, label): "destination_not_taken",
        (Check.DESTINATION, gone_label): "destination_unreachable",
        (Check.TOKEN, "router"): "token_ending",
        (Check.PEOPLE, ""): "people_none",
    }
    assert {key: found[key].reason for key in expected} == expected
    assert found[Check.WORKLIST, "CT1"].facts["character_set"] == "GB18030"
    with database.transaction() as session:
        for table in (Patient, Study, Series, Instance, Order, OutboxMessage, AuditRecord):
            assert session.scalar(select(func.count()).select_from(table)) == 0, table
    assert not [key for key in objects.list("") if "site-test" in str(key)]


def test_a_device_that_reads_no_chinese_gets_pinyin_and_is_told_how_to_change(
    database: Database, objects: ObjectStore, site: Site
) -> None:
    found = by_check(list(run(site.id, database, objects, CONFIG)))
    one = found[Check.WORKLIST, "CT1"]
    assert (one.outcome, one.reason) == (Outcome.WARNING, "worklist_pinyin")
    assert "rdc device worklist CT1 GB18030" in told(one, Language.ENGLISH).remedy


@pytest.mark.parametrize(
    ("lag", "reason"),
    [
        (timedelta(minutes=1), "clock"),
        (timedelta(minutes=-30), "clock_ahead"),
        (timedelta(hours=9), "clock_behind"),
    ],
)
def test_the_clock_of_a_device_is_compared_with_what_it_sent(lag: timedelta, reason: str) -> None:
    assert clock_of("CT1", [lag, lag + timedelta(minutes=5), lag + timedelta(hours=1)]).reason == (
        reason
    )


@pytest.mark.parametrize(
    ("least", "most", "reason"),
    [
        (-3, 3, "receiver_clock"),
        (60, 62, "receiver_clock"),
        # A slow way there and back explains it.
        (-200, 40, "receiver_clock"),
        (130, 132, "receiver_clock_ahead"),
        (-28_803, -28_800, "receiver_clock_behind"),
    ],
)
def test_a_web_receivers_clock_is_held_against_it_only_beyond_the_round_trip(
    least: int, most: int, reason: str
) -> None:
    seen = ClockSeen(timedelta(seconds=least), timedelta(seconds=most))
    found = receivers_clock("his", seen)
    assert found.reason == reason
    if reason == "receiver_clock_behind":
        assert "8:00:00" in told(found, Language.ENGLISH).found


def test_a_web_receiver_whose_clock_is_off_is_told(
    database: Database, objects: ObjectStore, site: Site
) -> None:
    statement = json.dumps(
        {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}
    ).encode()

    def answered(posted: Posted) -> Reply:
        head = f"Date: {format_datetime(utc_now() + timedelta(minutes=7), usegmt=True)}\r\n"
        body = statement if posted.method == "GET" else b""
        head = f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        return Reply(raw=lambda write: write(head.encode() + body))

    with web_peer(answered) as peer:
        with database.transaction() as session:
            made = add_destination(
                session,
                organisation_by_code(session, site.code),
                DestinationKind.FHIR,
                {"url": f"http://127.0.0.1:{peer.port}/fhir"},
            )
            label = made.label
        allowed = ReturnsConfig("RDC", outbound_allowed=("127.0.0.0/8",))
        found = by_check(list(run(site.id, database, objects, SiteTestConfig(allowed))))
    tried = found[Check.DESTINATION, label]
    assert (tried.reason, tried.facts) == (
        "destination_works",
        {"said": "FHIR 4.0.1; a transaction without entries: HTTP 200"},
    )
    clock = found[Check.RECEIVER_CLOCK, label]
    assert (clock.outcome, clock.reason) == (Outcome.WARNING, "receiver_clock_ahead")


def test_a_test_that_was_asked_for_is_written_down_as_it_goes_on_and_once(
    database: Database, objects: ObjectStore, site: Site
) -> None:
    with database.transaction() as session:
        asked = service.ask(session, audit.system_actor("test"), site.id)
        again = service.ask(session, audit.system_actor("test"), site.id)
        assert again.id == asked.id
    assert due_ids(database) == [asked.id]
    attempt(asked.id, database, objects, CONFIG)
    with database.transaction() as session:
        done = service.latest(session, site.id)
        assert done is not None
        assert done.ended_at is not None
        assert {one["check"] for one in done.findings} >= {"heard", "filing", "worklist", "people"}
        ended_at = done.ended_at
    attempt(asked.id, database, objects, CONFIG)
    with database.transaction() as session:
        done = service.latest(session, site.id)
        assert done is not None
        assert done.ended_at == ended_at
    assert due_ids(database) == []


def due_ids(database: Database) -> list[UUID]:
    with database.transaction() as session:
        return list(service.due(session))


def test_every_check_and_reason_has_words_that_can_be_filled_in() -> None:
    assert set(LOOKED_AT) == set(Check)
    for reason, texts in FOUND.items():
        for text in texts:
            zh = {name for _, name, _, _ in Formatter().parse(text.zh) if name}
            en = {name for _, name, _, _ in Formatter().parse(text.en) if name}
            assert zh == en, reason


def test_times_are_shown_as_the_site_reads_them() -> None:
    at = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert shown(at, ZoneInfo("Asia/Shanghai")) == "2026-11-23 02:30"


def test_every_way_a_trial_ends_has_words() -> None:
    assert {f"destination_{one.value}" for one in TrialFinding} <= set(FOUND)
