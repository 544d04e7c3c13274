"""Retention and legal holds by command, as the people whose passwords are given."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from reading_worklist.problems import Problem
from storage import registry
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import Role
from tests.reading_worklist.test_keeping import Old
from tests.support.seed import PASSWORD, Consortium, password_hash

Rdc = Callable[..., Result]


@pytest.fixture
def rdc(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rdc:
    """Runs a command with a password on standard input."""
    monkeypatch.setenv("RDC_DATABASE_URL", database.url)
    monkeypatch.setenv("RDC_DATA_DIR", str(tmp_path / "var"))

    def run(*words: str, password: str = PASSWORD) -> Result:
        return CliRunner().invoke(app, words, input=f"{password}\n")

    return run


def test_two_people_remove_by_command_what_no_hold_keeps(
    rdc: Rdc, consortium: Consortium, objects: ObjectStore
) -> None:
    with consortium.database.transaction() as session:
        for login in ("admin", "admin2"):
            registry.add_person(
                session,
                login,
                login,
                password_hash(),
                organisation=consortium.root,
                roles=(Role.CONSORTIUM_ADMIN,),
            )
    Old(consortium.database, objects, consortium).study("1.2.3.100", patient="P1")
    east = consortium.east.code

    assert isinstance(rdc("hold", "list", "--as", "admin", password="wrong").exception, Problem)
    assert isinstance(rdc("retention", "due", "--as", "reviewer").exception, Problem)
    assert "1.2.3.100" in rdc("retention", "due", "--as", "admin").stdout
    below = rdc("retention", "set", east, "outpatient", "14", "--as", "admin").exception
    assert "at least 15 years" in str(below)
    assert rdc("retention", "set", east, "outpatient", "16", "--as", "admin").exit_code == 0
    rules = rdc("retention", "rules", "--as", "admin").stdout
    assert any(line.split()[:4] == [east, "outpatient", "16", "15"] for line in rules.splitlines())

    held = rdc("hold", "set", east, "--patient", "P1", "--reason", "court", "--as", "admin")
    hold = held.stdout.removeprefix("held: ").strip()
    assert "legal_hold" in rdc("retention", "due", "--as", "admin").stdout
    reason = ("--reason", "over")
    refused = rdc("retention", "propose", east, "1.2.3.100", *reason, "--as", "admin").exception
    assert "must stay" in str(refused)
    assert rdc("hold", "release", hold, *reason, "--as", "admin").exit_code == 0
    assert hold not in rdc("hold", "list", "--as", "admin").stdout
    assert hold in rdc("hold", "list", "--all", "--as", "admin").stdout

    proposed = rdc("retention", "propose", east, "1.2.3.100", *reason, "--as", "admin")
    purge = proposed.stdout.rpartition(": ")[2].strip()
    own = rdc("retention", "approve", purge, "--as", "admin").exception
    assert "You proposed this purge" in str(own)
    assert "approve" in rdc("retention", "purges", "--as", "admin2").stdout
    assert rdc("retention", "approve", purge, "--as", "admin2").exit_code == 0
    assert "APPROVED" in rdc("retention", "purges", "--as", "admin2").stdout
