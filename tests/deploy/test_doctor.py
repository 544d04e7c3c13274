"""The doctor: what is wrong is named, with what to do; what is well is not called ill."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from deploy import doctor
from deploy.doctor import centre, machine, revocations, servers
from deploy.doctor.findings import Finding, Severity, fault, fine, to_json, to_text, warning
from deploy.settings import Settings, load
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.workitems.tables import Workitem
from storage import outbox
from storage.clock import utc_now
from storage.database import Database
from storage.index.tables import Study
from storage.messages import StudyReceived
from storage.outbox import OutboxMessage
from storage.registry import (
    DestinationKind,
    Device,
    Membership,
    Organisation,
    Role,
    add_destination,
    add_device,
)
from tests.deploy.system import rdc
from tests.pacs_gateway.certificates import Authority
from tests.support.seed import Consortium
from tests.support.web import give_keys


def of(findings: list[Finding], subject: str, *, severity: Severity | None = None) -> str:
    """What was found on one subject, of one severity or all that is not well."""
    return "\n".join(
        f"{one.what} → {one.remedy}"
        for one in findings
        if one.subject == subject
        and (one.severity is severity if severity else one.severity is not Severity.FINE)
    )


def work(database: Database) -> list[Finding]:
    with database.transaction() as session:
        return list(centre.look(session))


def test_a_consortium_that_works_has_no_fault(consortium: Consortium, tmp_path: Path) -> None:
    give_keys(consortium, tmp_path)
    with consortium.database.transaction() as session:
        neighbour = session.scalars(select(Organisation).where(Organisation.code == "NEXT")).one()
        add_device(session, neighbour, "NEXT_CT", "CT")
        reader = consortium.people["doctor-east"]
        session.add(
            Membership(person_id=reader.id, organisation_id=neighbour.id, role=Role.SITE_DOCTOR)
        )
    found = work(consortium.database)
    assert of(found, "doctors") == ""
    assert {one.subject for one in found if one.severity is Severity.FINE} >= {
        "messages",
        "reports",
        "studies",
        "doctors",
        "sites",
    }
    assert not [one for one in found if one.severity is Severity.FAULT]


def test_doctors_without_keys_are_named(consortium: Consortium, tmp_path: Path) -> None:
    found = work(consortium.database)
    assert "0 can sign, 0 of them as reviewer" in of(found, "doctors", severity=Severity.FAULT)
    assert "rdc user renew writer --signing-key" in of(found, "signing keys")
    give_keys(consortium, tmp_path)
    with consortium.database.transaction() as session:
        end = session.scalars(select(func.min(SigningCredential.not_after))).one()
        found = list(centre.look(session, end - timedelta(days=3)))
        assert "that of writer ends" in of(found, "signing keys")
        assert of(list(centre.look(session, end)), "doctors", severity=Severity.FAULT)


def test_what_is_stuck_is_counted_and_no_patient_is_named(consortium: Consortium) -> None:
    queued = consortium.queued_study()
    with consortium.database.transaction() as session:
        past = utc_now() - timedelta(hours=2)
        session.execute(update(Study).values(state="RECEIVING", quiet_due_at=past))
        session.execute(
            update(Workitem).where(Workitem.id == queued.workitem_id).values(due_at=past)
        )
        outbox.emit(
            session,
            StudyReceived(
                study_id=queued.study.id,
                site_id=queued.study.site_id,
                study_instance_uid="1.2.3",
                generation=1,
                modalities=("CT",),
                instance_count=1,
            ),
        )
        session.execute(update(OutboxMessage).values(created_at=past))
        session.execute(update(Device).values(active=False))
    found = work(consortium.database)
    assert "1 should have been complete" in of(found, "studies")
    assert "1 are overdue" in of(found, "exams")
    assert "the oldest since" in of(found, "messages", severity=Severity.FAULT)
    assert "EAST, NEXT, WEST cannot send" in of(found, "sites")
    assert queued.study.study_instance_uid not in to_json(found)


def test_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_QUIET_SECOND", "3")
    settings = _settings(tmp_path)
    nothing = list(machine.look(settings))
    assert "RDC_QUIET_SECONDS was meant?" in of(nothing, "settings")
    assert "is not there" in of(nothing, "data directory")

    settings.data_dir.mkdir(mode=0o700)
    authority = open_authority(settings.authority_dir, organisation="青山县医共体", name="CA")
    make_service_keys(settings.authority_dir, authority)
    found = list(machine.look(settings))
    assert of(found, "secrets") == ""
    assert of(found, "signing authority") == ""
    key = next(settings.authority_dir.glob("*.key.pem"))
    key.chmod(0o644)
    assert f"chmod 600 {key}" in of(list(machine.look(settings)), "secrets")
    (settings.authority_dir / "time-stamping.pem").unlink()
    assert of(list(machine.look(settings)), "signing services", severity=Severity.FAULT)
    full = settings.changed(spool_reserve_mb=10**9)
    assert "A700" in of(list(machine.look(full)), f"disk of {settings.data_dir}")
    torn = settings.changed(dicom_tls_certificate=key)
    assert "is no certificate" in of(list(machine.look(torn)), "DICOM over TLS")


def test_servers(database: Database, tmp_path: Path) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    settings = _settings(tmp_path, database_url=url, broker_url="redis://127.0.0.1:1/0")
    (settings.data_dir / "objects").mkdir(parents=True)
    found = list(servers.look(settings))
    assert "does not answer" in of(found, "broker", severity=Severity.FAULT)
    assert "its schema is this version's" in of(found, "database", severity=Severity.FINE)
    assert of(found, "object store", severity=Severity.FINE)
    assert not list((settings.data_dir / "objects").rglob("doctor/*"))
    lost = settings.changed(database_url="postgresql://nobody:secret@127.0.0.1:1/none")
    told = list(servers.look(lost))
    assert of(told, "database", severity=Severity.FAULT)
    assert "secret" not in to_json(told)


def test_how_it_is_told() -> None:
    findings = [fine("a", "is well"), warning("b", "is odd", "look"), fault("c", "is ill", "act")]
    text = to_text(findings)
    assert text.index("is ill") < text.index("is odd")
    assert "is well" not in text
    assert "is well" in to_text(findings, with_fine=True)
    assert "1 faults, 1 warnings, 1 things are fine" in text
    assert json.loads(to_json(findings))["healthy"] is False


def test_a_system_that_does_not_run_is_told_how_to_start_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    done = rdc(tmp_path / "var", "doctor")
    assert done.returncode == 1
    assert "Start it: `rdc up`" in done.stdout
    assert not (tmp_path / "var").exists()
    assert doctor.examine(_settings(tmp_path))


def _settings(tmp_path: Path, **changes: object) -> Settings:
    return load(data_dir=tmp_path / "var", **changes)


def test_lists_that_destinations_name_are_looked_at(consortium: Consortium, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "his")
    tls = {"authorities": str(authority.path), "revocations": str(tmp_path / "his.crl.pem")}
    with consortium.database.transaction() as session:
        east = session.scalars(select(Organisation).where(Organisation.code == "EAST")).one()
        for port in (2575, 2576):
            settings = {"host": "10.1.2.4", "port": port, "tls": tls}
            add_destination(session, east, DestinationKind.HL7, settings)

    def told() -> tuple[Severity, str]:
        with consortium.database.transaction() as session:
            [one] = revocations.of_receivers(session)
        assert one.subject == "revoked certificates of 10.1.2.4:2575"
        return one.severity, one.what

    assert told()[0] is Severity.WARNING
    assert "not on this machine" in told()[1]
    for days, severity, words in (
        (300, Severity.FINE, "good until"),
        (3, Severity.WARNING, "good until"),
        (-1, Severity.WARNING, "who was revoked since is believed"),
    ):
        authority.revoke(days=days)
        assert (told()[0], words in told()[1]) == (severity, True)
    Authority(tmp_path, "stranger").revoke().replace(tls["revocations"])
    assert (told()[0], "nobody who is believed" in told()[1]) == (Severity.FAULT, True)
