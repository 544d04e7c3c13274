"""What a system on several machines does not start with."""

import os
from pathlib import Path
from typing import Any

import pytest

from deploy import settings
from deploy.errors import SettingsError
from deploy.weaknesses import is_distributed, require_strong, weaknesses

SECRET = "c0ffee5afe7a11deadbeef42"
STRONG: dict[str, Any] = {
    "database_url": f"postgresql://rdc:{SECRET}@db.county.cn/rdc",
    "broker_url": f"amqp://rdc:{SECRET}@10.0.0.5//",
    "object_store_url": f"s3://rdc:{SECRET}@store.county.cn:8333/rdc",
    "public_url": "https://rdc.county.cn",
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(f"RDC_{name.upper()}", raising=False)


def found(tmp_path: Path, **changes: Any) -> list[str]:  # noqa: ANN401 -- settings of all kinds
    return [one.name for one in weaknesses(settings.load(data_dir=tmp_path, **changes))]


@pytest.mark.parametrize(
    ("changes", "weak"),
    [
        ({}, []),
        ({"database_url": "postgresql://rdc@db/rdc"}, ["database-password"]),
        ({"database_url": "postgresql://rdc:rdc@db/rdc"}, ["database-password"]),
        ({"database_url": "postgresql://rdc:rdc@/rdc?host=a:5432&host=b"}, ["database-password"]),
        ({"broker_url": "amqp://guest:guest@10.0.0.5//"}, ["broker-password"]),
        ({"broker_url": "redis://10.0.0.5/0"}, ["broker-password"]),
        (
            {"object_store_url": "s3://minioadmin:minioadmin@10.0.0.6:9000/rdc"},
            ["object-store-password"],
        ),
        ({"object_store_url": "s3://a:aaaaaaaaaaaaaaaa@10.0.0.6/rdc"}, ["object-store-password"]),
        ({"public_url": "http://rdc.county.cn"}, ["plain-http"]),
        ({"second_factor": ()}, ["no-second-factor"]),
        ({"second_factor": ("signing",)}, ["no-second-factor"]),
        ({"session_idle_seconds": 36000.0}, ["long-sessions"]),
        ({"session_absolute_seconds": 90000.0}, ["long-sessions"]),
        ({"trusted_proxies": ("0.0.0.0/0",)}, ["proxies-everywhere"]),
        # What is on this machine needs no password, nor TLS.
        ({"public_url": "http://127.0.0.1:8080"}, []),
        ({"broker_url": "redis://127.0.0.1/0"}, []),
    ],
)
def test_each_weak_choice_keeps_it_from_starting(
    tmp_path: Path, changes: dict[str, Any], weak: list[str]
) -> None:
    chosen = {**STRONG, **changes}
    assert found(tmp_path, **chosen) == weak
    if weak:
        with pytest.raises(SettingsError, match=weak[0]) as refused:
            require_strong(settings.load(data_dir=tmp_path, **chosen))
        assert SECRET not in str(refused.value)
    require_strong(settings.load(data_dir=tmp_path, **chosen, accept_weak=tuple(weak)))


@pytest.mark.parametrize(
    ("changes", "distributed"),
    [
        ({}, False),
        ({"database_url": "postgresql://postgres@/rdc?host=/tmp/socket"}, False),
        ({"database_url": "postgresql://postgres@127.0.0.1:5433/rdc"}, False),
        ({"database_url": "postgresql://postgres@[::1]/rdc"}, False),
        ({"broker_url": "redis+socket:///tmp/valkey.sock"}, False),
        ({"database_url": "postgresql://rdc@db/rdc"}, True),
        ({"database_url": "postgresql://rdc@localhost,db2/rdc"}, True),
        ({"object_store_url": "s3://a:b@10.0.0.9:8333/rdc"}, True),
    ],
)
def test_what_is_distributed(changes: dict[str, Any], distributed: bool) -> None:  # noqa: FBT001
    assert is_distributed(settings.load(**changes)) is distributed


def test_the_embedded_system_starts_as_it_is(tmp_path: Path) -> None:
    embedded = settings.load(data_dir=tmp_path)
    require_strong(embedded)
    assert embedded.second_factor_for == frozenset()
    assert settings.load(**STRONG).second_factor_for == {"admin", "remote"}


def test_secrets_open_to_others_stop_every_system(tmp_path: Path) -> None:
    embedded = settings.load(data_dir=tmp_path)
    embedded.authority_dir.mkdir()
    for name in ("authority.passphrase", "second-factor.key", "time-stamping.key.pem"):
        path = embedded.authority_dir / name
        path.write_bytes(os.urandom(8))
        path.chmod(0o600)
        require_strong(embedded)
        path.chmod(0o640)
        with pytest.raises(SettingsError, match=name):
            require_strong(embedded)
        path.chmod(0o600)


def test_an_installation_has_secrets_of_its_own(tmp_path: Path) -> None:
    """Nothing is shipped: two installations share no secret, and each is its owner's alone."""
    from reading_worklist.access.second_factor import make_seal  # noqa: PLC0415
    from reading_worklist.signing.authority import open_authority  # noqa: PLC0415
    from reading_worklist.signing.service_keys import make_service_keys  # noqa: PLC0415

    kept: list[set[bytes]] = []
    for place in (tmp_path / "a", tmp_path / "b"):
        make_service_keys(place, open_authority(place, organisation="o", name="n"))
        make_seal(place)
        secrets = [one for one in place.iterdir() if one.suffix in {".passphrase", ".key"}]
        secrets += list(place.glob("*.key.pem"))
        assert len(secrets) == 5
        assert {one.stat().st_mode & 0o777 for one in secrets} == {0o600}
        kept.append({one.read_bytes() for one in secrets})
    assert not kept[0] & kept[1]
