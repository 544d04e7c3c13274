"""The centre by Docker Compose, as shipped: built, started, used, restarted, and its data kept."""

import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.demo.consortium import SITES
from deploy.demo.exams import prepare_exams
from deploy.demo.people import DemoClient
from deploy.demo.walk import Road, walk
from deploy.tls.authority import PrivateAuthority
from tests.cluster.load import Load
from tests.cluster.network import require_namespaces
from tests.containers.centre import ONCE, Centre, road, running_centre
from tests.containers.engine import running_engine
from tests.containers.roads import DICOM_PORT
from tests.e2e.modality import studies
from tests.e2e.system import wait_for
from tests.support.memory import DISK
from tests.support.peers import require_program
from tests.support.soak import SOAK

OURS: Final = "900"
"""The account of the image."""
HAPROXY: Final = 99
"""The account of HAProxy's image."""
UNDER_LOAD: Final = ("gateway-1", "web-2", "worker-1", "relay-1", "hl7-1", "broker", "store-2")
BETWEEN_SECONDS: Final = 5.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not SOAK, reason="`make containers` runs it"),
]


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that outlives other runs of pytest: they remove their third last one's."""
    with tempfile.TemporaryDirectory(prefix="rdc-compose-", dir=DISK) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def centre(place: Path) -> Iterator[Centre]:
    require_namespaces()
    with running_engine() as engine, running_centre(engine, place) as running:
        say(f"everything is healthy after {running.up():.0f} s")
        yield running


@pytest.fixture(scope="module")
def walked(centre: Centre, place: Path) -> Iterator[Road]:
    with road(centre, place) as made:
        yield made


def ours(centre: Centre) -> list[str]:
    return [
        name for name, one in centre.states().items() if one["Image"] == "rdc" and name not in ONCE
    ]


def test_nothing_had_to_be_started_twice(centre: Centre) -> None:
    for service in (*ours(centre), "front", "database", "broker", "store-1", "store-2", "store-3"):
        assert centre.inspect(service)["RestartCount"] == 0, service


def test_our_processes_can_do_nothing_but_their_work(centre: Centre) -> None:
    for service in ours(centre):
        status = dict(
            line.split(":\t", 1)
            for line in centre.inside(service, "cat", "/proc/1/status").splitlines()
            if ":\t" in line
        )
        assert status["Uid"].split() == [OURS] * 4
        assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        for place in ("/opt/rdc/deploy/x", "/opt/rdc/.venv/x", "/etc/x", "/usr/x"):
            assert "Read-only file system" in centre.inside(service, "touch", place, check=False)


def test_the_whole_road(centre: Centre, walked: Road, tmp_path: Path) -> None:
    outcome = walk(walked, prepare_exams(tmp_path / "exams"), say)
    assert outcome["ok"], outcome
    say(json.dumps([one["seconds"] for one in outcome["exams"]]))
    told = centre.inside("web-1", ".venv/bin/rdc", "doctor", check=False)
    say(told)
    assert "\n0 faults" in told


def test_what_dcmtk_sends_is_read_byte_for_byte(walked: Road, tmp_path: Path) -> None:
    storescu = require_program("storescu", package="dcmtk")
    [dataset] = studies(1, 1)
    file = tmp_path / "one.dcm"
    dataset.save_as(file, enforce_file_format=True)
    subprocess.run(
        [storescu, "-aet", SITES[0].modality_ae, "-aec", "RDC", "127.0.0.1", str(DICOM_PORT), file],
        check=True,
    )
    uid = str(dataset.StudyInstanceUID)
    with DemoClient(walked.web, walked.people["li.shu"]) as doctor:
        wait_for("the study in the worklist", lambda: doctor.workitems().get(uid))
        image = (
            f"/dicom-web/studies/{uid}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}/frames/1"
        )
        assert bytes(dataset.PixelData) in doctor.get_bytes(image)


def test_a_restart_of_any_service_loses_nothing(centre: Centre, walked: Road) -> None:
    seconds: dict[str, float] = {}
    with Load(walked) as load:
        for service in UNDER_LOAD:
            time.sleep(BETWEEN_SECONDS)
            began = time.monotonic()
            centre.compose("restart", service)
            seconds[service] = round(time.monotonic() - began, 1)
        time.sleep(BETWEEN_SECONDS)
    database = centre.database()
    try:
        filed = load.check(database, centre.objects())
    finally:
        database.close()
    say(
        f"{len(load.acknowledged)} instances, longest pause of sending"
        f" {load.sending.longest():.1f} s, of reading {load.reading.longest():.1f} s,"
        f" failed requests {len(load.reading.failed)}, caught up after {filed:.1f} s;"
        f" restarts took {seconds}"
    )


def test_down_and_up_again_keeps_everything(centre: Centre, walked: Road) -> None:
    with DemoClient(walked.web, walked.people["li.shu"]) as doctor:
        before = doctor.workitems()
        uid = next(iter(before))
        metadata = doctor.get_bytes(f"/dicom-web/studies/{uid}/metadata")
    began = time.monotonic()
    centre.compose("down")
    say(f"down took {time.monotonic() - began:.0f} s")
    say(f"everything is healthy again after {centre.up():.0f} s")
    with DemoClient(walked.web, walked.people["li.shu"]) as doctor:
        assert doctor.workitems().keys() == before.keys()
        assert doctor.get_bytes(f"/dicom-web/studies/{uid}/metadata") == metadata
    told = centre.inside("web-1", ".venv/bin/rdc", "verify", check=False)
    say(told)
    assert "\n0 faults" in centre.inside("web-1", ".venv/bin/rdc", "doctor", check=False)


def test_people_come_by_https(centre: Centre, walked: Road, tmp_path: Path) -> None:
    private = PrivateAuthority(tmp_path)
    private.make("county")
    issued = private.issue("front", hosts=("127.0.0.1",))
    pem = centre.folder / "people.pem"
    pem.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    pem.chmod(0o400)
    os.chown(pem, HAPROXY, HAPROXY)
    files = ("compose.yaml", "compose.override.yaml", "https.yaml")
    centre.compose(*(part for one in files for part in ("--file", one)), "up", "--detach", "front")
    known = ssl.create_default_context(cafile=private.certificate)
    person = walked.people["li.shu"]
    with httpx.Client(base_url="https://127.0.0.1", verify=known, timeout=30) as browser:

        def signed_in() -> httpx.Response | None:
            try:
                answer = browser.post(
                    "/api/session", json={"login": person.login, "password": person.password}
                )
            except httpx.TransportError:
                return None
            return answer if answer.is_success else None

        assert "Secure" in wait_for("people to be let in", signed_in).headers["Set-Cookie"]
        assert browser.get("/api/workitems").is_success
    assert (
        httpx.get("http://127.0.0.1/worklist").headers["Location"] == "https://127.0.0.1/worklist"
    )
