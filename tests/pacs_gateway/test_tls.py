"""DICOM over TLS: who gets in by certificate, and that data travels as without."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from pacs_gateway.config import TlsConfig
from pacs_gateway.gateway import Gateway
from pacs_gateway.tls import TlsUnusable
from storage.database import Database
from storage.index.tables import Instance
from storage.registry import bind_certificate, device_by_ae_title
from tests.pacs_gateway.certificates import Authority, Issued
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import ct
from tests.pacs_gateway.peers import dcmtk
from tests.pacs_gateway.test_store import count, drained
from tests.pacs_gateway.waiting import until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def secured(
    start_gateway: Callable[..., Gateway], authority: Authority, site: Site
) -> Callable[..., int]:
    """Starts a gateway that listens for TLS too; returns that port."""
    assert site
    ours = authority.issue("gateway")

    def start(*, required: bool) -> int:
        gateway = start_gateway(
            tls=TlsConfig(
                0,
                ours.certificate,
                ours.key,
                authorities=authority.path,
                client_certificate_required=required,
            )
        )
        assert gateway.bound_tls_port is not None
        return gateway.bound_tls_port

    return start


def _store(
    port: int, folder: Path, authority: Authority, *credentials: str | Path, size: int = 64
) -> int:
    """Send three instances by DCMTK over TLS; return its exit code."""
    instances = folder / "instances"
    instances.mkdir(exist_ok=True)
    for number in range(3):
        dataset = ct(size=size, InstanceNumber=number)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(instances / f"{number}.dcm", enforce_file_format=True)
    return dcmtk(
        "storescu",
        *(credentials or ("+tla",)),
        *("+cf", authority.path, "-aec", "RDC", "-aet", "CT1", "+sd"),
        *("127.0.0.1", str(port), instances),
    ).returncode


def _as(credential: Issued) -> tuple[str | Path, ...]:
    return ("+tls", credential.key, credential.certificate)


def test_storescu_without_and_with_a_certificate(
    secured: Callable[..., int], authority: Authority, database: Database, tmp_path: Path
) -> None:
    port = secured(required=False)
    assert _store(port, tmp_path, authority) == 0
    # Larger than all buffers, so that records of TLS and PDUs lie across each other.
    assert _store(port, tmp_path, authority, *_as(authority.issue("device")), size=1024) == 0
    until(lambda: count(database, Instance) == 6, "all are filed")


def test_a_required_certificate_must_be_ours_to_know(
    secured: Callable[..., int], authority: Authority, database: Database, tmp_path: Path
) -> None:
    port = secured(required=True)
    stranger = Authority(tmp_path, "stranger").issue("intruder")
    assert _store(port, tmp_path, authority) != 0
    assert _store(port, tmp_path, authority, *_as(stranger)) != 0
    assert count(database, Instance) == 0
    assert _store(port, tmp_path, authority, *_as(authority.issue("device"))) == 0


def test_a_device_bound_to_a_certificate_needs_that_one(
    start_gateway: Callable[..., Gateway],
    authority: Authority,
    database: Database,
    site: Site,
    tmp_path: Path,
) -> None:
    ours, right, wrong = (authority.issue(name) for name in ("gateway", "right", "wrong"))
    with database.transaction() as session:
        bind_certificate(device_by_ae_title(session, site.ae_title), right.fingerprint.upper())
    tls = TlsConfig(0, ours.certificate, ours.key, authorities=authority.path)
    gateway = start_gateway(tls=tls)
    port = gateway.bound_tls_port
    assert port is not None
    assert _store(port, tmp_path, authority) != 0
    assert _store(port, tmp_path, authority, *_as(wrong)) != 0
    assert _store(port, tmp_path, authority, *_as(right)) == 0
    # Nor does it get in on the port without TLS.
    plain = ("echoscu", "-aec", "RDC", "-aet", "CT1", "127.0.0.1", str(gateway.bound_port))
    assert dcmtk(*plain).returncode != 0
    drained(gateway)
    assert count(database, Instance) == 3


def test_a_revoked_certificate_is_refused_from_the_moment_the_list_is_there(
    start_gateway: Callable[..., Gateway],
    authority: Authority,
    database: Database,
    site: Site,
    tmp_path: Path,
) -> None:
    assert site
    ours, stolen, other = (authority.issue(name) for name in ("gateway", "stolen", "other"))
    tls = TlsConfig(
        0,
        ours.certificate,
        ours.key,
        authorities=authority.path,
        revocations=authority.revoke(),
    )
    port = start_gateway(tls=tls).bound_tls_port
    assert port is not None
    assert _store(port, tmp_path, authority, *_as(stolen)) == 0
    authority.revoke(stolen)
    assert _store(port, tmp_path, authority, *_as(stolen)) != 0
    assert _store(port, tmp_path, authority, *_as(other)) == 0
    # A list that is out of date names whom it named, and stops nobody else.
    authority.revoke(stolen, days=-1)
    assert _store(port, tmp_path, authority, *_as(stolen)) != 0
    assert _store(port, tmp_path, authority, *_as(other)) == 0
    until(lambda: count(database, Instance) == 9, "all are filed")


def test_a_peer_that_does_not_speak_tls_is_let_go(
    secured: Callable[..., int], authority: Authority, tmp_path: Path
) -> None:
    port = secured(required=False)
    plain = ("echoscu", "-aec", "RDC", "-aet", "CT1", "127.0.0.1", str(port))
    assert dcmtk(*plain).returncode != 0
    assert _store(port, tmp_path, authority) == 0


def test_what_cannot_be_used_is_told(
    start_gateway: Callable[..., Gateway], authority: Authority, tmp_path: Path
) -> None:
    ours, other = authority.issue("gateway"), authority.issue("other")
    for certificate, key in ((tmp_path / "absent.pem", ours.key), (ours.certificate, other.key)):
        with pytest.raises(TlsUnusable, match="RDC_DICOM_TLS_CERTIFICATE"):
            start_gateway(tls=TlsConfig(0, certificate, key))
    with pytest.raises(TlsUnusable, match="RDC_DICOM_TLS_CA"):
        start_gateway(
            tls=TlsConfig(0, ours.certificate, ours.key, client_certificate_required=True)
        )
