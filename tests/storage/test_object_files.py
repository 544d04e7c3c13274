"""Objects on a filesystem as the files they are, for whoever sends them by the kernel."""

import os
from pathlib import Path

import pytest

from storage.objects import FilesystemObjectStore, ObjectKey, ObjectNotFound

_KEY = ObjectKey("instances/one")


def test_an_object_is_a_file_that_the_caller_closes(tmp_path: Path) -> None:
    store = FilesystemObjectStore(tmp_path / "objects")
    store.put(_KEY, b"0123456789" * 1000)
    file = store.descriptor(_KEY)
    assert file is not None
    try:
        assert os.pread(file, 10, 5) == b"5678901234"
    finally:
        os.close(file)
    with pytest.raises(ObjectNotFound):
        store.descriptor(ObjectKey("instances/none"))
