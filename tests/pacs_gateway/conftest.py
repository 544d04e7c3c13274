"""A consortium with a device and a receiver, and gateways that run inside the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pacs_gateway.config import GatewayConfig
from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.objects import ObjectStore
from storage.registry import (
    OrganisationKind,
    add_device,
    add_organisation,
    organisation_by_code,
)
from tests.pacs_gateway.processes import GatewayProcess


def left_in(spool: Path) -> list[Path]:
    """Return the files of a spool in which there is anything."""
    return [path for path in spool.glob("*/*.dcm") if _size(path)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@dataclass(frozen=True)
class Site:
    """A site and the device it sends from."""

    id: UUID
    code: str
    device_id: UUID
    ae_title: str


@pytest.fixture
def site(database: Database) -> Site:
    """A site whose device is CT1, callable from anywhere."""
    with database.transaction() as session:
        consortium = add_organisation(
            session,
            kind=OrganisationKind.CONSORTIUM,
            code="county",
            name="县医共体",
            name_en="County",
            parent=None,
        )
        made = add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="east",
            name="东乡卫生院",
            name_en="East",
            parent=consortium,
        )
        device = add_device(session, made, "CT1", "CT of East")
        return Site(made.id, made.code, device.id, device.ae_title)


@pytest.fixture
def other_site(database: Database, site: Site) -> Site:
    """Another site of the same consortium, whose device is CT2."""
    with database.transaction() as session:
        consortium = organisation_by_code(session, "county")
        made = add_organisation(
            session,
            kind=OrganisationKind.SITE,
            code="west",
            name="西乡卫生院",
            name_en="West",
            parent=consortium,
        )
        device = add_device(session, made, "CT2", "CT of West")
        return Site(made.id, made.code, device.id, device.ae_title)


@pytest.fixture
def start_gateway(
    database: Database, objects: ObjectStore, tmp_path: Path
) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways with settings fit for a test; all are stopped at its end."""
    with ExitStack() as running:

        def start(**settings: Any) -> Gateway:  # noqa: ANN401 -- any field of GatewayConfig
            store = settings.pop("objects", objects)
            known = settings.pop("database", database)
            config = GatewayConfig(
                **{  # pyright: ignore[reportArgumentType] -- any field of GatewayConfig
                    "ae_title": "RDC",
                    "host": "127.0.0.1",
                    "port": 0,
                    "spool_dir": tmp_path / "spool",
                    "spool_reserve_bytes": 1024 * 1024,
                    "quiet_seconds_default": 0.3,
                    "device_cache_seconds": 0.0,
                    "stop_grace_seconds": 2.0,
                    **settings,
                }
            )
            gateway = Gateway(config, known, store)
            gateway.start()
            running.callback(gateway.stop)
            return gateway

        yield start


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    """A running gateway."""
    return start_gateway()


@pytest.fixture
def gateway_process(database_url: str, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway in a process of its own, not started yet; killed at the end if it still runs."""
    made = GatewayProcess([database_url, f"file://{tmp_path}/objects", str(tmp_path / "spool")])
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()
