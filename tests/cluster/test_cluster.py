"""The whole road in a distributed centre, and what is lost when a part of it goes: nothing."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.exams import prepare_exams
from deploy.demo.walk import Road, walk
from tests.cluster.county import County, road, running_county
from tests.cluster.network import require_namespaces
from tests.support.soak import SOAK

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not SOAK, reason="`make cluster` runs it"),
]


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


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
