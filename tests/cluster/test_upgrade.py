"""A new version beside the old one on the same database, machine by machine, while work goes on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from deploy.demo.exams import prepare_exams
from deploy.demo.walk import Road, walk
from tests.cluster.county import PROCESSES, County, road, running_county
from tests.cluster.faults import report, say
from tests.cluster.load import Load
from tests.cluster.network import require_namespaces
from tests.e2e.system import ROOT
from tests.support.soak import SOAK

BEFORE: Final = "0a2f018"
"""What counts as the version before until one has a tag: the last that knew one machine only."""
_EXAMS: Final = 4
_WEB: Final = "reading_worklist/web"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not SOAK, reason="`make cluster` runs it"),
]


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(ROOT), *words], check=False, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def old_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of before, with the packages and built pages of now."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no history to take the version before from")
    revision = _git("tag", "--list", "v*", "--sort=-creatordate").partition("\n")[0] or BEFORE
    if not _git("cat-file", "-t", revision):
        message = f"the version before, {revision}, is not in this history"
        sys.stderr.write(f"\nNOT TESTED: {message}\n")
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("old")
    archive = folder / "old.tar"
    _git("archive", f"--output={archive}", revision)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    archive.unlink()
    for built in ("dist", "node_modules"):
        (folder / _WEB / built).symlink_to(ROOT / _WEB / built)
    say(f"the version before is {revision[:12]}")
    return folder


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    require_namespaces()
    # The version before could not open every object in S3.
    with running_county(tmp_path_factory.mktemp("county"), shared_folder=True) as running:
        yield running


@pytest.fixture(scope="module")
def walked(county: County) -> Iterator[Road]:
    with road(county) as made:
        yield made


def _before(county: County, machine: str) -> dict[str, str]:
    """What the version before has to be told otherwise: it knows one database and one folder."""
    data = county.directory / machine / "data"
    (data / "authority").symlink_to(county.directory / "authority")
    return {
        "RDC_DATABASE_URL": county.primary().own_url,
        "RDC_DATABASE_READ_URL": "",
        "RDC_AUTHORITY_DIR": "",
    }


def test_old_code_works_on_the_new_schema_and_is_replaced_machine_by_machine(
    county: County, walked: Road, old_checkout: Path, tmp_path: Path
) -> None:
    for machine in PROCESSES:
        county.end(machine)
    for machine in PROCESSES:
        county.start(machine, root=old_checkout, changes=_before(county, machine))
    exams = prepare_exams(tmp_path / "exams")
    # It does not read the balancer's header.
    direct = replace(walked, dicom_host=county.network.addresses["gateway1"])
    outcome = walk(direct, exams[:_EXAMS], say)
    assert outcome["ok"], outcome
    say("the version before walks the whole road on the new schema")
    # The version before knows no POST without consequences.
    with Load(walked, changing=False) as load:
        for machine in PROCESSES:
            time.sleep(1)
            county.end(machine)
            county.start(machine)
    # The version before does not know the balancer's header: what it refuses is sent again.
    report(load, county, "a new version, machine by machine")
    assert load.reading.failed == []
    assert walk(walked, exams[_EXAMS:], say)["ok"]
