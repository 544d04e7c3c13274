"""Commands that need no running system: they start the embedded database for their own time."""

from pathlib import Path

import pytest

from deploy.tables import render, width
from tests.deploy.system import rdc

pytestmark = pytest.mark.timeout(180)


@pytest.mark.slow
def test_a_consortium_is_entered_by_hand(tmp_path: Path) -> None:
    data = tmp_path / "var"
    for words in (
        ("site", "add", "county", "--name", "青山县医共体", "--kind", "consortium"),
        ("site", "add", "centre", "--name", "诊断中心", "--kind", "centre", "--parent", "county"),
        ("site", "add", "EAST", "--name", "东河镇卫生院", "--parent", "county"),
        ("device", "add", "EAST", "EAST_CT", "--modality", "CT", "--address", "10.1.0.0/16"),
        ("device", "add", "EAST", "EAST_WS", "--listen", "10.1.0.7:11113"),
        ("device", "worklist", "EAST_CT", "ISO 2022 IR 58"),
        ("destination", "add", "EAST", "EAST_PACS", "10.1.2.3", "104", "--notify-availability"),
    ):
        done = rdc(data, *words)
        assert done.returncode == 0, done.stderr
    added = rdc(
        data,
        "user",
        "add",
        "li",
        "--name",
        "李书写",
        "--organisation",
        "centre",
        "--role",
        "writer",
    )
    assert added.returncode == 0, added.stderr
    assert "password" in added.stdout
    assert "PIN" in added.stdout
    renewed = rdc(data, "user", "renew", "li", "--signing-key")
    assert renewed.returncode == 0, renewed.stderr
    assert "PIN" in renewed.stdout
    assert renewed.stdout != added.stdout
    unknown = rdc(data, "user", "renew", "nobody")
    assert unknown.returncode == 1
    assert "no person has the login" in unknown.stderr
    listed = rdc(data, "user", "list")
    assert "writer@centre" in listed.stdout
    devices = rdc(data, "device", "list").stdout
    assert "10.1.0.0/16" in devices
    assert "\\ISO 2022 IR 58" in devices
    assert "EAST_PACS" in rdc(data, "destination", "list").stdout
    assert "东河镇卫生院" in rdc(data, "site", "list").stdout

    nowhere = rdc(data, "device", "add", "EAST", "EAST_MR", "--listen", "10.1.0.7")
    assert nowhere.returncode == 1
    assert "a host and a port" in nowhere.stderr
    twice = rdc(data, "device", "add", "EAST", "EAST_CT")
    assert twice.returncode == 1
    assert "belongs to another device" in twice.stderr
    assert "Traceback" not in twice.stderr


def test_a_wrong_flag_is_explained(tmp_path: Path) -> None:
    done = rdc(tmp_path / "var", "up", "--http-port", "99999")
    assert done.returncode == 1
    assert "RDC_HTTP_PORT: expected less than or equal to 65535; found 99999" in done.stderr


def test_status_of_a_system_that_does_not_run(tmp_path: Path) -> None:
    done = rdc(tmp_path / "var", "status")
    assert done.returncode == 1
    assert "not running; start it with `rdc up`" in done.stdout
    assert not (tmp_path / "var").exists(), "looking makes nothing"


def test_every_setting_is_explained(tmp_path: Path) -> None:
    done = rdc(tmp_path, "settings")
    assert done.returncode == 0
    assert "RDC_QUIET_SECONDS" in done.stdout
    assert "port of the DICOM listener" in done.stdout


def test_tables_line_up_with_chinese() -> None:
    lines = render(("code", "name", "n"), [("EAST", "东河镇", 1), ("W", "ab", 22)]).splitlines()
    assert {width(line[: line.rindex(" ") + 1]) for line in lines} == {14}
