"""`rdc report verify`: three values by exit code, offline, for people and for programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from reading_worklist.reports.rendering import render
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.reports import CHINESE, authority, ct_report, signer, typesetter


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, the same altered, and the certificates of our authority and of another."""
    folder = tmp_path_factory.mktemp("files")
    ours = authority(folder / "ours")
    now = utc_now()
    pdf = render(ct_report(), Language.ZH_CN, typesetter())
    for who, sign in (
        (signer(ours, "李建国"), sign_as_writer),
        (signer(ours, "王芳"), sign_as_reviewer),
    ):
        pdf = sign(pdf, who, appearance=CHINESE, typesetter=typesetter(), signed_at=now)
    pdf = LongTerm(make_service_keys(folder / "ours", ours)).conclude(pdf, at=now)
    (folder / "report.pdf").write_bytes(pdf)
    altered = bytearray(pdf)
    altered[len(pdf) // 2] ^= 1
    (folder / "altered.pdf").write_bytes(altered)
    (folder / "ours.pem").write_text(ours.certificate_pem)
    (folder / "other.pem").write_text(authority(folder / "other").certificate_pem)
    return folder


@pytest.mark.parametrize(
    ("names", "trusted", "code", "said"),
    [
        (["report.pdf"], "ours.pem", 0, "VALID"),
        (["report.pdf"], "other.pem", 2, "INDETERMINATE"),
        (["altered.pdf"], "ours.pem", 1, "INVALID"),
        (["report.pdf", "altered.pdf"], "ours.pem", 1, "INVALID"),
    ],
)
def test_verdict_is_told_and_is_the_exit_code(
    files: Path, names: list[str], trusted: str, code: int, said: str
) -> None:
    arguments = ["report", "verify", *(str(files / one) for one in names)]
    run = CliRunner().invoke(app, [*arguments, "--trust", str(files / trusted)])
    assert run.exit_code == code, run.output
    assert said in run.output
    machine = CliRunner().invoke(app, [*arguments, "--trust", str(files / trusted), "--json"])
    assert machine.exit_code == code
    assert [Path(one["file"]).name for one in json.loads(machine.stdout)] == names


def test_a_report_is_valid_for_those_who_have_no_database(files: Path, tmp_path: Path) -> None:
    """Nothing is asked for but the file and the certificate; nothing is made in the data folder."""
    run = CliRunner().invoke(
        app,
        [
            *("report", "verify", str(files / "report.pdf"), "--trust", str(files / "ours.pem")),
            *("--data-dir", str(tmp_path / "none"), "--json"),
        ],
    )
    (found,) = json.loads(run.stdout)
    assert [one["role"] for one in found["signatures"]] == ["writer", "reviewer"]
    assert all(one["proven_at"] for one in found["signatures"])
    assert not (tmp_path / "none").exists()
