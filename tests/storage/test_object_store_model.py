"""The object store against a dictionary: any sequence of calls gives what the dictionary gives."""

import contextlib
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from storage.objects import (
    ObjectConflict,
    ObjectKey,
    ObjectNotFound,
    open_object_store,
)
from tests.support.weed import Weed

_runs = itertools.count()

# No name is the folder of another.
NAMES = st.sampled_from(
    ["a", "b.dcm", "f/a", "f/b", "f-g", "f.g", "g/h/i", "g/h/j", "g/h.i/j", "1.2.840/1", "1.2/2"]
)
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda seed, size: seed * size, st.binary(min_size=1, max_size=3), st.integers(0, 90_000)
    ),
)
RANGES = st.tuples(
    st.integers(0, 120_000) | st.integers(0, 50),
    st.none() | st.integers(0, 200_000) | st.integers(0, 50),
)


class StoreAndModel(RuleBasedStateMachine):
    """Subclassed with the store to open."""

    url: str
    stored = Bundle("stored")

    def __init__(self) -> None:
        super().__init__()
        self.store = open_object_store(self.url)
        self.folder = f"run-{next(_runs)}/"
        self.model: dict[ObjectKey, bytes] = {}

    @rule(target=stored, name=NAMES, content=CONTENTS)
    def put(self, name: str, content: bytes) -> object:
        key = ObjectKey(self.folder + name)
        if self.model.get(key, content) != content:
            with pytest.raises(ObjectConflict):
                self.store.put(key, content)
            return multiple()
        assert self.store.put(key, content).size == len(content)
        self.model[key] = content
        return key

    @rule(key=stored)
    def put_again(self, key: ObjectKey) -> None:
        if key in self.model:
            self.store.put(key, self.model[key])

    @rule(key=stored, part=RANGES)
    def read(self, key: ObjectKey, part: tuple[int, int | None]) -> None:
        offset, length = part
        if key not in self.model:
            with pytest.raises(ObjectNotFound):
                self.store.read(key, offset, length)
            return
        end = None if length is None else offset + length
        assert self.store.read(key, offset, length) == self.model[key][offset:end]

    @rule(key=stored, positions=st.lists(st.integers(0, 100_000), max_size=4))
    def open_and_seek(self, key: ObjectKey, positions: list[int]) -> None:
        if key not in self.model:
            with pytest.raises(ObjectNotFound):
                self.store.open(key)
            return
        with self.store.open(key) as file:
            for position in positions:
                file.seek(position)
                assert file.read(10) == self.model[key][position : position + 10]

    @rule(key=consumes(stored))
    def delete(self, key: ObjectKey) -> None:
        self.store.delete(key)
        self.model.pop(key, None)

    @rule(prefix=NAMES.map(lambda name: name[:3]))
    def list_prefix(self, prefix: str) -> None:
        found = [item.key for item in self.store.list(self.folder + prefix)]
        assert found == sorted(key for key in self.model if key.startswith(self.folder + prefix))

    @rule()
    def open_the_store_again(self) -> None:
        self.store = open_object_store(self.url)

    @invariant()
    def all_is_listed_with_its_size(self) -> None:
        found = {item.key: item.size for item in self.store.list(self.folder)}
        assert found == {key: len(content) for key, content in self.model.items()}

    def teardown(self) -> None:
        for key in self.model:
            with contextlib.suppress(ObjectNotFound):
                self.store.delete(key)


def test_filesystem(tmp_path: Path) -> None:
    class OnFilesystem(StoreAndModel):
        url = f"file://{tmp_path}/store"

    run_state_machine_as_test(
        OnFilesystem,
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
    )


def test_s3(weed: Weed) -> None:
    class OnS3(StoreAndModel):
        url = weed.url("model")

    run_state_machine_as_test(
        OnS3,
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
