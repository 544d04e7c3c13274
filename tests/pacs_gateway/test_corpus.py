"""Every file of the shared corpus, sent: valid ones are kept as they are, all get an answer."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from pacs_gateway.gateway import Gateway
from storage.database import Database
from storage.dicom_header import DatasetError, read_file_meta
from storage.index.tables import Instance, Quarantine
from storage.objects import ObjectKey, ObjectStore
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.datasets import Sample, from_file
from tests.pacs_gateway.peers import CT, EXPLICIT, RawPeer
from tests.pacs_gateway.test_store import drained, request
from tests.support.peers import require_corpus

_SUCCESS: Final = 0


@dataclass(frozen=True)
class Sent:
    """A file of the corpus and what was answered to it."""

    path: str
    valid: bool
    digest: str
    sample: Sample
    status: int


def _manifest(corpus: Path) -> list[tuple[str, bool]]:
    """Return each file, and whether it is a valid instance; worklist texts are none."""
    with (corpus / "manifest.tsv").open(encoding="utf-8") as manifest:
        rows = csv.DictReader(manifest, delimiter="\t")
        return [
            (row["path"], row["status"] == "valid" and bool(row["SOPInstanceUID"])) for row in rows
        ]


def _sample(path: Path) -> Sample:
    """Return what a device would send of a file; of what is no DICOM, the file as a dataset."""
    try:
        with path.open("rb") as file:
            read_file_meta(file)
        found = from_file(path)
    except (DatasetError, Exception):  # noqa: BLE001 -- whatever breaks a reader is sent all the more
        return Sample(CT, "1.2.3.4.5", EXPLICIT, path.read_bytes())
    return Sample(
        found.sop_class_uid or CT,
        found.sop_instance_uid or "1.2.3.4.5",
        found.transfer_syntax_uid,
        found.encoded,
    )


def _send(gateway: Gateway, corpus: Path, path: str, *, valid: bool) -> Sent:
    item = _sample(corpus / path)
    with RawPeer(gateway.bound_port) as peer:
        assert peer.associate({1: (item.sop_class_uid, [item.transfer_syntax_uid])}) == 2, path
        peer.send(request(1, item))
        status = peer.status()
        assert peer.release() == 6, path
    return Sent(path, valid, hashlib.sha256(item.encoded).hexdigest(), item, status)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_corpus(gateway: Gateway, database: Database, objects: ObjectStore, site: Site) -> None:
    assert site
    corpus = require_corpus("open")
    sent = [_send(gateway, corpus, path, valid=valid) for path, valid in _manifest(corpus)]
    drained(gateway)
    with database.transaction() as session:
        filed = {row.dataset_sha256: row for row in session.scalars(select(Instance))}
        aside = {row.dataset_sha256: row for row in session.scalars(select(Quarantine))}
    for item in sent:
        if item.valid:
            assert item.status == _SUCCESS, f"{item.path}: {item.status:04X}"
        # Nothing disappears: it is filed, or it lies where a person sees it.
        if item.digest in filed:
            row = filed[item.digest]
            kept = objects.read(ObjectKey(row.object_key), row.dataset_offset)
            assert kept == item.sample.encoded, item.path
        else:
            entry = aside[item.digest]
            assert objects.read(ObjectKey(entry.object_key)).endswith(item.sample.encoded)
            # What was acknowledged is aside only because it contradicts what was there before.
            if item.status == _SUCCESS:
                assert entry.reason in {"uid_conflict", "patient_mismatch"}, item.path
