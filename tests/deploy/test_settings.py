import json
from pathlib import Path

import pytest

from deploy import settings
from deploy.bootstrap import gateway_config, hl7_config
from deploy.errors import SettingsError
from deploy.supervisor import children_of
from pacs_gateway.config import TlsConfig


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"RDC_{name.upper()}", raising=False)


def test_nothing_set_means_embedded() -> None:
    found = settings.load()
    assert found.database_url is None
    assert found.broker_url is None
    assert found.object_store.startswith("file:///")
    assert found.object_store.endswith("/var/objects")
    assert (found.dicom_port, found.http_port, found.ae_title) == (11112, 8080, "RDC")


def test_quiet_seconds_one_number_holds_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_QUIET_SECONDS", "2.5")
    found = settings.load()
    assert set(found.quiet_seconds.values()) == {2.5}
    # As a child of the supervisor reads it.
    monkeypatch.setenv("RDC_QUIET_SECONDS", found.to_environment()["RDC_QUIET_SECONDS"])
    assert settings.load().quiet_seconds == found.quiet_seconds


def test_quiet_seconds_by_modality_changes_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_QUIET_SECONDS", '{"CT": 60}')
    found = settings.load().quiet_seconds
    assert found["CT"] == 60
    assert found["ECG"] == settings.QUIET_SECONDS["ECG"]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RDC_DICOM_PORT", "eleven", "RDC_DICOM_PORT: expected a valid integer"),
        ("RDC_DICOM_PORT", "70000", "less than or equal to 65535; found '70000'"),
        ("RDC_AE_TITLE", "A" * 17, "expected 1 to 16"),
        ("RDC_TIME_ZONE", "Mars/Olympus", "a time zone such as Asia/Shanghai"),
        ("RDC_QUIET_SECONDS", "soon", "expected a number, or JSON"),
        ("RDC_QUIET_SECONDS", '{"CT": -1}', "(CT): expected greater than or equal to 0"),
        ("RDC_DATABASE_URL", "mysql://u:secret@h/d", "beginning with postgresql://"),
        ("RDC_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ],
)
def test_a_wrong_value_is_explained(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert variable in str(caught.value)
    assert told in str(caught.value)


def test_a_wrong_address_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_DATABASE_URL", "mysql://u:secret@h/d")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "secret" not in str(caught.value)


def test_the_settings_do_not_print_passwords() -> None:
    assert "secret" not in repr(settings.load(database_url="postgresql://u:secret@h/d"))


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_DICOM_PORT", "x")
    monkeypatch.setenv("RDC_HTTP_PORT", "y")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "RDC_DICOM_PORT" in str(caught.value)
    assert "RDC_HTTP_PORT" in str(caught.value)


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RDC_HTTP_PORT", "9000")
    assert settings.load(http_port=9001).http_port == 9001
    assert settings.load(http_port=None).http_port == 9000


def test_children_read_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    told = settings.load(
        database_url="postgresql://h/d", quiet_seconds='{"CT": 1}', http_port=0, ae_title="COUNTY"
    )
    for name, value in told.to_environment().items():
        monkeypatch.setenv(name, value)
    assert settings.load() == told
    assert json.loads(told.to_environment()["RDC_QUIET_SECONDS"])["CT"] == 1


def test_a_misspelt_variable_is_pointed_out() -> None:
    advice = settings.unknown_variables({"RDC_DICOMPORT": "1", "RDC_HTTP_PORT": "1", "HOME": "/"})
    assert advice == ["RDC_DICOMPORT is no setting; RDC_DICOM_PORT was meant?"]


@pytest.mark.parametrize(
    ("host", "public", "address"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:8080"),
        ("0.0.0.0", None, "http://127.0.0.1:8080"),
        ("::1", None, "http://[::1]:8080"),
        ("127.0.0.1", "https://centre.example/", "https://centre.example"),
    ],
)
def test_the_address_people_use(host: str, public: str | None, address: str) -> None:
    assert settings.load(http_host=host, public_url=public).web_address == address


def test_orders_over_tls_alone_have_a_listener_and_their_own_names_in_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "hl7" not in {child.name for child in children_of(settings.load(mllp_port=0))}
    monkeypatch.setenv("RDC_MLLP_PORT", "0")
    monkeypatch.setenv("RDC_MLLP_TLS_CERTIFICATE", str(tmp_path / "both.pem"))
    monkeypatch.setenv("RDC_MLLP_TLS_CLIENT_REQUIRED", "true")
    found = settings.load()
    assert "hl7" in {child.name for child in children_of(found)}
    config = hl7_config(found)
    assert config.port is None
    assert config.tls == TlsConfig(
        2576,
        tmp_path / "both.pem",
        tmp_path / "both.pem",
        client_certificate_required=True,
        settings="RDC_MLLP_TLS",
    )
    assert gateway_config(found).tls is None
