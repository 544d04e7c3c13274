"""The web application over a filled archive."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom import dcmwrite
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from storage.database import Database
from storage.objects import ObjectStore
from storage.quiet_times import QuietTimes
from tests.reading_worklist.dicomweb.archive import Archive
from tests.reading_worklist.dicomweb.samples import Sample, bundled
from tests.support.seed import PASSWORD, Consortium

QUIET_CT = 77
OCTETS = "multipart/related; type=application/octet-stream; transfer-syntax=*"


def sample(name: str) -> Sample:
    """One of pydicom's files."""
    return next(one for one in bundled() if one.name == name)


def copy_of(name: str, **attributes: object) -> bytes:
    """One of pydicom's files with other attributes."""
    dataset = sample(name).read()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = DicomBytesIO()
    dcmwrite(stream, dataset)
    return stream.getvalue()


def series_of(name: str, count: int, **attributes: object) -> list[bytes]:
    """A study of one series, made of copies of one of pydicom's files."""
    study, series = str(generate_uid()), str(generate_uid())
    return [
        copy_of(
            name,
            **{
                "StudyInstanceUID": study,
                "SeriesInstanceUID": series,
                "SOPInstanceUID": str(generate_uid()),
                "InstanceNumber": number,
                **attributes,
            },
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
def consortium(database: Database) -> Consortium:
    return Consortium(database)


@pytest.fixture
def archive(database: Database, objects: ObjectStore) -> Archive:
    return Archive(database, objects)


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    config = WebConfig(
        web_ui=tmp_path / "web",
        ohif=tmp_path / "ohif",
        fonts=(),
        trust_anchors=(),
        quiet_times=QuietTimes(1000, {"CT": QUIET_CT}),
    )
    return create_app(config, consortium.database, objects)


@pytest.fixture
def sign_in(app: FastAPI) -> Callable[[str], TestClient]:
    def signed_in(login: str) -> TestClient:
        client = TestClient(app, raise_server_exceptions=False)
        client.headers["Accept-Encoding"] = "identity"
        answer = client.post("/api/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    return signed_in


@pytest.fixture
def writer(sign_in: Callable[[str], TestClient]) -> TestClient:
    """A doctor of the centre, who sees both sites."""
    return sign_in("writer")


def parts_of(answer: httpx.Response) -> list[tuple[dict[str, str], bytes]]:
    """The parts of a multipart/related answer, cut by their own lengths."""
    found = re.search(r"boundary=([0-9a-f]+)", answer.headers["content-type"])
    assert found is not None
    boundary = f"--{found.group(1)}".encode()
    parts: list[tuple[dict[str, str], bytes]] = []
    rest = answer.content
    while rest.startswith(boundary + b"\r\n"):
        head, _, body = rest.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers["content-length"])
        assert body[length : length + 2] == b"\r\n"
        parts.append((headers, body[:length]))
        rest = body[length + 2 :]
    assert rest == boundary + b"--\r\n"
    return parts
