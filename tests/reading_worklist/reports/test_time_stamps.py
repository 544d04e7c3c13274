"""Issued reports get further time stamps in time, and the issued file stays what it is."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from reading_worklist.reports.tables import ReportVersion
from reading_worklist.reports.time_stamps import first_row, renew, waiting
from reading_worklist.services import Services
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.long_term import LongTerm, Stamped
from reading_worklist.signing.service_keys import ServiceKey, ServiceKeys
from reading_worklist.signing.tables import ReportTimeStamp
from reading_worklist.signing.time_authority import TimeAuthority
from reading_worklist.signing.verdicts import Verdict
from reading_worklist.signing.verification import verify
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.database import Database, as_owner
from storage.objects import ObjectKey, ObjectStore
from tests.support.desk import Desk
from tests.support.seed import Consortium
from tests.support.time_peer import TimePeer, time_peer
from tests.support.web import application

YEAR = timedelta(days=365)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path)


@pytest.fixture
def desk(app: FastAPI, consortium: Consortium) -> Desk:
    return Desk(app, consortium, consortium.queued_study().workitem_id)


@pytest.fixture(scope="module")
def one_peer(tmp_path_factory: pytest.TempPathFactory) -> Generator[TimePeer]:
    with time_peer(tmp_path_factory.mktemp("time"), days=30 * 365) as peer:
        yield peer


@pytest.fixture
def peer(one_peer: TimePeer) -> Generator[TimePeer]:
    yield one_peer
    one_peer.mood = "good"


def long_term_of(app: FastAPI) -> LongTerm:
    services: Services = app.state.services
    assert services.config.long_term is not None
    return services.config.long_term


def stamped_by(app: FastAPI, long_term: LongTerm) -> LongTerm:
    """Let the application stamp with these."""
    services: Services = app.state.services
    app.state.services = replace(services, config=replace(services.config, long_term=long_term))
    return long_term


def with_short_clock(app: FastAPI, directory: Path, days: int) -> LongTerm:
    """The centre's clock with a certificate that ends soon."""
    long_term = long_term_of(app)
    authority = open_authority(directory / "authority", organisation="-", name="-")
    key = ec.generate_private_key(ec.SECP384R1())
    certificate = authority.issue_service(
        key.public_key(),
        name="time-stamping",
        purpose=ExtendedKeyUsageOID.TIME_STAMPING,
        not_after=utc_now() + timedelta(days=days),
    )
    short = ServiceKey(certificate, key, authority.certificate)
    return LongTerm(ServiceKeys(short, long_term.keys.certificate_status))


def rows(database: Database) -> list[ReportTimeStamp]:
    with database.transaction() as session:
        query = select(ReportTimeStamp).order_by(ReportTimeStamp.number)
        return list(session.scalars(query))


def issued_file(database: Database, objects: ObjectStore) -> tuple[ReportVersion, bytes]:
    with database.transaction() as session:
        version = session.scalars(select(ReportVersion)).one()
    return version, objects.read(ObjectKey.parse(version.pdf_object_key))


def test_the_stamp_of_the_issued_file_is_on_record(
    desk: Desk, app: FastAPI, database: Database, objects: ObjectStore
) -> None:
    desk.write()
    desk.finalise()
    version, _ = issued_file(database, objects)
    (row,) = rows(database)
    assert (row.original_sha256, row.pdf_sha256) == (version.pdf_sha256, version.pdf_sha256)
    assert (row.stamped_by, row.shortfall, row.pdf_object_key) == ("centre", "", None)
    assert row.ends_at == long_term_of(app).keys.time_stamping.certificate.not_valid_after_utc
    assert renew(database, objects, long_term_of(app), now=utc_now(), limit=10) == 0


def test_a_report_issued_without_the_outside_authority_gets_its_stamp_later(
    desk: Desk, app: FastAPI, database: Database, objects: ObjectStore, peer: TimePeer
) -> None:
    outside = TimeAuthority(peer.url, (peer.anchor,), timeout=10)
    long_term = stamped_by(app, replace(long_term_of(app), outside=outside))
    peer.mood = "down"
    desk.write()
    desk.finalise()
    version, issued = issued_file(database, objects)
    (first,) = rows(database)
    assert (first.stamped_by, bool(first.shortfall)) == ("centre", True)
    with database.transaction() as session:
        assert waiting(session) == 1
    # Still away: nothing changes, and it is asked for one report only.
    assert renew(database, objects, long_term, now=utc_now(), limit=10) == 0
    assert len(rows(database)) == 1
    peer.mood = "good"
    assert renew(database, objects, long_term, now=utc_now(), limit=10) == 1
    assert renew(database, objects, long_term, now=utc_now(), limit=10) == 0
    _, second = rows(database)
    assert (second.number, second.stamped_by, second.shortfall) == (2, "127.0.0.1", "")
    with database.transaction() as session:
        assert waiting(session) == 0
        told = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "report:stamp_again")
        ).one()
    assert told.subject_id == str(version.id)
    # Who opens the report gets the file with more proof, which begins with the issued one.
    opened = desk("reviewer").get(f"/api/reports/{version.id}/pdf").content
    assert opened.startswith(issued)
    assert len(opened) > len(issued)
    # Both files are reports of ours to whoever asks.
    for file in (issued, opened):
        answer = desk("reviewer").client.post("/api/verify", content=file).json()
        assert (answer["verdict"], answer["known"]["version_number"]) == ("valid", 1)


def test_a_stamp_near_its_end_is_covered_by_one_that_lasts(
    desk: Desk, app: FastAPI, database: Database, objects: ObjectStore, tmp_path: Path
) -> None:
    lasting = long_term_of(app)
    short = stamped_by(app, with_short_clock(app, tmp_path, days=300))
    desk.write()
    desk.finalise()
    # Another stamp of the same clock would end with the first.
    assert renew(database, objects, short, now=utc_now(), limit=10) == 0
    assert renew(database, objects, lasting, now=utc_now(), limit=10) == 1
    assert renew(database, objects, lasting, now=utc_now(), limit=10) == 0
    first, second = rows(database)
    assert second.ends_at > first.ends_at
    assert second.pdf_object_key is not None
    anchors = app.state.services.config.trust_anchors
    _, issued = issued_file(database, objects)
    again = objects.read(ObjectKey.parse(second.pdf_object_key))
    later = utc_now() + 5 * YEAR
    assert verify(issued, anchors, at=later).verdict is Verdict.INDETERMINATE
    assert verify(again, anchors, at=later).verdict is Verdict.VALID


def test_a_report_from_before_stamps_were_recorded_is_looked_at(
    desk: Desk, app: FastAPI, database: Database, objects: ObjectStore
) -> None:
    services: Services = app.state.services
    lasting = long_term_of(app)
    app.state.services = replace(services, config=replace(services.config, long_term=None))
    desk.write()
    desk.finalise()
    assert rows(database) == []
    # It has no stamp at all, and gets one.
    assert renew(database, objects, lasting, now=utc_now(), limit=10) == 1
    assert [row.stamped_by for row in rows(database)] == ["", "centre"]


def test_of_a_stamp_the_database_keeps_what_was_written(database: Database) -> None:
    now = utc_now()
    with database.transaction() as session:
        session.add(first_row(Stamped(b"x", "centre", now, now + YEAR)))
    change = update(ReportTimeStamp).values(shortfall="no")
    with database.transaction() as session:
        as_owner(session)
        with pytest.raises(DBAPIError, match="only added"):
            session.execute(change)
        session.rollback()
