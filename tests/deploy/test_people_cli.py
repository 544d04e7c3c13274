"""`rdc user`: roles with dates, locks, lost second factors; and the doctor on tokens that end."""

from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from deploy.cli import app
from deploy.doctor import centre
from deploy.doctor.findings import Severity
from reading_worklist.access import second_factor, throttle
from reading_worklist.access.tables import OutsideIdentity, SecondFactor, WebSession
from storage.audit import AuditRecord
from storage.clock import utc_now
from storage.registry import Membership, Person, issue_token, rotate_token, valid_memberships
from tests.support.scopes import scope_of
from tests.support.seed import Consortium


class Run(Protocol):
    """Runs `rdc user` with these words, expects an exit code, and returns what was said."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


@pytest.fixture
def run(consortium: Consortium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the consortium's database; returns what it says."""
    monkeypatch.setenv("RDC_DATABASE_URL", consortium.database.url)
    monkeypatch.setenv("RDC_DATA_DIR", str(tmp_path))
    # The days of the database that the test looks at.
    monkeypatch.setenv("RDC_TIME_ZONE", "UTC")

    def ran(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["user", *words])
        assert result.exit_code == code, result.output
        return result.output

    return ran


def roles(consortium: Consortium, login: str) -> list[str]:
    with consortium.database.transaction() as session:
        person_id = consortium.people[login].id
        return [
            f"{one.role}@{one.organisation.code}" for one in valid_memberships(session, person_id)
        ]


def test_roles_have_dates(consortium: Consortium, run: Run) -> None:
    run("give-role", "writer", "--organisation", "EAST", "--role", "site_doctor")
    run("end-role", "writer", "--organisation", "centre", "--role", "writer")
    assert roles(consortium, "writer") == ["site_doctor@EAST"]
    soon = f"{utc_now().date() + timedelta(days=3)}"
    run("give-role", "writer", "--organisation", "EAST", "--role", "expert", "--first", soon)
    assert roles(consortium, "writer") == ["site_doctor@EAST"]
    assert soon in run("show", "writer")
    with consortium.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Membership)) == 10


def test_locks_and_lost_proofs(consortium: Consortium, run: Run) -> None:
    database = consortium.database
    person_id = consortium.people["writer"].id
    scope_of(database, "writer")
    with database.transaction() as session:
        session.add(
            SecondFactor(
                person_id=person_id,
                sealed=second_factor.Seal.random().close("SECRET", person_id),
                confirmed_at=utc_now(),
                last_step=0,
            )
        )
        for _ in range(5):
            throttle.count_try(session, "writer", "10.1.1.1")
    assert "waits until" in run("show", "writer")
    run("reset-totp", "writer")
    run("reset-totp", "writer", code=1)
    run("lock", "writer")
    with database.transaction() as session:
        assert not session.get_one(Person, person_id).active
        assert session.scalars(select(WebSession.ended_at)).one() is not None
    run("unlock", "writer")
    assert "waits until" not in run("show", "writer")
    run("identity", "writer", "--provider", "county", "--email", "Li@County.cn")
    run("identity", "writer", "--provider", "county", "--subject", "s1")
    run("sign-out", "writer")
    with database.transaction() as session:
        assert session.scalars(select(OutsideIdentity.subject)).all() == ["s1"]
        acts = session.scalars(
            select(AuditRecord.action)
            .where(AuditRecord.client == "rdc command line")
            .order_by(AuditRecord.id)
        ).all()
    assert acts == [
        "second_factor:reset",
        "person:lock",
        "person:unlock",
        "person:register_identity",
        "person:register_identity",
        "session:end_all",
    ]


def test_the_doctor_tells_of_tokens_in_use_that_end(consortium: Consortium) -> None:
    now = utc_now()
    with consortium.database.transaction() as session:
        used = issue_token(session, consortium.east, "HIS", lifetime=timedelta(days=5)).row
        unused = issue_token(session, consortium.east, "old", lifetime=timedelta(days=5)).row
        used.last_used_at = now
        unused.last_used_at = None
        session.flush()

        def told() -> list[Severity]:
            return [one.severity for one in centre.look(session, now) if one.subject == "tokens"]

        assert told() == [Severity.WARNING]
        used.expires_at = now - timedelta(minutes=1)
        session.flush()
        assert told() == [Severity.FAULT]
        used.expires_at = now + timedelta(days=300)
        session.flush()
        assert told() == [Severity.FINE]
        successor = rotate_token(session, used.id, overlap=timedelta(days=7)).row
        # Made in one transaction, they have one time.
        successor.created_at = now + timedelta(minutes=1)
        session.flush()
        assert told() == [Severity.WARNING]
        successor.last_used_at = now
        session.flush()
        # The machine has its successor; the old one ends unmissed.
        assert told() == [Severity.FINE]
