"""The whole road in a distributed centre, and what is lost when a part of it goes: nothing."""

import json
import socket
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE

from deploy.demo.consortium import SITES
from deploy.demo.exams import prepare_exams
from deploy.demo.walk import Road, walk
from pacs_gateway.hl7.framing import framed
from storage import registry
from storage.hl7.senders import add_sender
from tests.cluster.county import MLLP_PORT, PROCESSES, County, road, running_county
from tests.cluster.faults import BEFORE_SECONDS, Fault, fail_over, fails, fall_in, report, say
from tests.cluster.load import BURST_INSTANCES, Load, burst
from tests.cluster.network import require_namespaces
from tests.cluster.quota import limited
from tests.cluster.servers import Valkey
from tests.pacs_gateway.hl7.samples import orm
from tests.support.soak import SOAK

MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
BAD_LINE_SECONDS: Final = 30.0
GATEWAYS: Final = ("gateway1", "gateway2")
GATEWAY_CORES: Final = 0.1
WANTED_SCALE: Final = 1.6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not SOAK, reason="`make cluster` runs it"),
]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    require_namespaces()
    began = time.monotonic()
    with running_county(tmp_path_factory.mktemp("county")) as running:
        say(f"the centre is up after {time.monotonic() - began:.1f} s")
        yield running


@pytest.fixture(scope="module")
def walked(county: County) -> Iterator[Road]:
    with road(county) as made:
        yield made


def test_the_whole_road(county: County, walked: Road, tmp_path: Path) -> None:
    outcome = walk(walked, prepare_exams(tmp_path / "exams"), say)
    say(json.dumps([one["seconds"] for one in outcome["exams"]]))
    assert outcome["ok"], outcome


def test_a_sign_in_and_an_event_are_known_to_every_web(county: County, walked: Road) -> None:
    person = walked.people["li.shu"]
    with httpx.Client(base_url=county.web("web1"), timeout=30) as first:
        signed_in = first.post(
            "/api/session", json={"login": person.login, "password": person.password}
        )
        assert signed_in.is_success
        # The other one's clocks, too: it counts the same session.
        second = httpx.Client(
            base_url=county.web("web2"),
            cookies=dict(first.cookies),
            headers={"X-CSRF-Token": signed_in.json()["csrf_token"]},
            timeout=30,
        )
        with second, first.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) is not None
            with Load(walked) as load:
                time.sleep(BEFORE_SECONDS)
            assert load.acknowledged
            told = next(line for line in lines if line.startswith("event: workitem"))
            assert told
            assert second.get("/api/workitems").is_success
            assert second.delete("/api/session").is_success
        assert first.get("/api/workitems").status_code == HTTPStatus.UNAUTHORIZED


def test_people_come_by_https(county: County, walked: Road) -> None:
    person, front = walked.people["li.shu"], county.front.address
    known = ssl.create_default_context(cafile=county.private.certificate)
    with httpx.Client(base_url=f"https://{front}", verify=known, timeout=30) as browser:
        signed_in = browser.post(
            "/api/session", json={"login": person.login, "password": person.password}
        )
        assert signed_in.is_success
        assert "Secure" in signed_in.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in signed_in.headers
        assert browser.get("/api/workitems").is_success
        with browser.stream("GET", "/api/events") as stream:
            assert next(stream.iter_lines()) is not None
    asked = httpx.get(f"http://{front}/worklist?q=1")
    assert asked.status_code == HTTPStatus.PERMANENT_REDIRECT
    assert asked.headers["Location"] == f"https://{front}/worklist?q=1"
    assert httpx.post(f"http://{front}/api/session").status_code == HTTPStatus.FORBIDDEN


def test_an_order_by_hl7_is_in_the_worklist_of_the_device(county: County, walked: Road) -> None:
    site = county.network.addresses["site"]
    database = county.database()
    with database.transaction() as session:
        east = registry.organisation_by_code(session, SITES[0].code)
        add_sender(session, east, "HIS", "EAST", addresses=[f"{site}/32"])
    database.close()
    with socket.create_connection((county.front.address, MLLP_PORT), timeout=30) as line:
        line.sendall(framed(orm().encode()))
        assert b"MSA|AA|" in line.recv(4096)
    keys: Any = Dataset()
    keys.AccessionNumber = "A77"
    keys.PatientName = ""
    entity: Any = AE(ae_title=SITES[0].modality_ae)
    entity.add_requested_context(MODALITY_WORKLIST)
    association = entity.associate(walked.dicom_host, walked.dicom_port, ae_title="RDC")
    found = [one for _, one in association.send_c_find(keys, MODALITY_WORKLIST) if one is not None]
    association.release()
    assert [str(one.PatientName).startswith("Zhang^Wei") for one in found] == [True]


FAULTS: Final = (
    Fault(
        "a gateway loses its power",
        lambda county: county.kill("gateway1"),
        lambda county: county.start("gateway1"),
    ),
    Fault(
        "a gateway loses its cable",
        lambda county: county.network.cut("gateway2"),
        lambda county: county.network.mend("gateway2"),
    ),
    Fault(
        "a worker loses its power",
        lambda county: county.kill("worker1"),
        lambda county: county.start("worker1"),
    ),
    Fault(
        "a worker loses its cable",
        lambda county: county.network.cut("worker2"),
        lambda county: county.network.mend("worker2"),
    ),
    Fault(
        "a relay loses its cable",
        lambda county: county.network.cut("relay1"),
        lambda county: county.network.mend("relay1"),
    ),
    Fault(
        "a web loses its power",
        lambda county: county.kill("web1"),
        lambda county: county.start("web1"),
    ),
    Fault(
        "a web loses its cable",
        lambda county: county.network.cut("web2"),
        lambda county: county.network.mend("web2"),
    ),
    Fault(
        "the broker loses its power",
        lambda county: county.broker.kill(),
        lambda county: county.broker.start(),
    ),
    Fault(
        "the broker loses its cable",
        lambda county: county.network.cut("broker"),
        lambda county: county.network.mend("broker"),
    ),
    Fault(
        "a node of the store loses its power",
        lambda county: county.store[1].kill(),
        lambda county: county.start_store(1),
    ),
    Fault(
        "a node of the store loses its cable",
        lambda county: county.network.cut("store3"),
        lambda county: county.network.mend("store3"),
    ),
    Fault(
        "the database loses its cable",
        lambda county: county.network.cut(county.primary().machine),
        lambda county: county.network.mend(county.primary().machine),
    ),
    Fault("the primary database dies and its standby takes over", fail_over, fall_in),
    # 300 ms there and back, and of a hundred packets five are lost each way.
    Fault(
        "the site has a bad line",
        lambda county: county.network.slow("site", 0.15, 0.05),
        lambda county: county.network.mend_line("site"),
        BAD_LINE_SECONDS,
    ),
    # Each question to it takes 100 ms longer, and of a hundred packets one is lost each way.
    Fault(
        "the database answers slowly",
        lambda county: county.network.slow(county.primary().machine, 0.05, 0.01),
        lambda county: county.network.mend_line(county.primary().machine),
        BAD_LINE_SECONDS,
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_acknowledged_is_lost(county: County, walked: Road, fault: Fault) -> None:
    fails(county, walked, fault)


def test_every_process_ends_by_itself_and_nobody_notices(county: County, walked: Road) -> None:
    seconds: dict[str, float] = {}
    with Load(walked) as load:
        for machine in PROCESSES:
            time.sleep(BEFORE_SECONDS)
            seconds[machine] = round(county.end(machine), 1)
            county.start(machine)
    report(load, county, "every process is replaced, one after the other")
    say(f"seconds to end: {seconds}")
    assert load.reading.failed == []


@contextmanager
def _valkey_instead(county: County, directory: Path) -> Generator[Valkey]:
    """Let everything that is woken or wakes use Valkey inside the block."""
    woken = [machine for machine in PROCESSES if machine.startswith(("relay", "worker"))]
    for machine in woken:
        county.end(machine)
    county.broker.kill()
    valkey = Valkey(county.network, "broker", directory)
    valkey.start()
    county.start(*woken, changes={"RDC_BROKER_URL": valkey.url})
    yield valkey
    for machine in woken:
        county.end(machine)
    valkey.kill()
    county.broker.start()
    county.start(*woken)


def test_valkey_wakes_workers_as_well(
    county: County, walked: Road, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with _valkey_instead(county, tmp_path_factory.mktemp("valkey")) as valkey:
        for fault in (
            Fault("Valkey loses its power", lambda _: valkey.kill(), lambda _: valkey.start()),
            Fault(
                "Valkey loses its cable",
                lambda county: county.network.cut(valkey.machine),
                lambda county: county.network.mend(valkey.machine),
            ),
        ):
            fails(county, walked, fault)


def test_two_gateways_take_twice_what_one_takes(county: County, walked: Road) -> None:
    """Each has the same small part of a processor, so that those here suffice for the rest."""
    rates: dict[int, float] = {}
    for gateways in (2, 1):
        machines = GATEWAYS[:gateways]
        if gateways == 1:
            county.end(GATEWAYS[1])
        before = county.processor_seconds(*machines)
        with ExitStack() as limits:
            for machine in machines:
                limits.enter_context(
                    limited(machine, county.network.processes(machine), GATEWAY_CORES)
                )
            began = time.monotonic()
            burst(walked)
            wall = time.monotonic() - began
        used = county.processor_seconds(*machines) - before
        rates[gateways] = BURST_INSTANCES / wall
        say(
            f"{gateways} gateways of {GATEWAY_CORES} processors: {rates[gateways]:.0f}"
            f" instances/s, {used * 1000 / BURST_INSTANCES:.2f} ms of a processor for each,"
            f" {used / wall / gateways:.2f} processors used by each gateway"
        )
    county.start(GATEWAYS[1])
    assert rates[2] > WANTED_SCALE * rates[1]
