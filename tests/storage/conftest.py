"""Fixtures of the storage tests: a real S3 store, started once."""

from collections.abc import Iterator

import pytest

from tests.support.weed import Weed, running_weed


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    """A SeaweedFS S3 store that lives as long as the test session."""
    with running_weed(tmp_path_factory.mktemp("weed")) as server:
        yield server
