"""The built viewer is served below /viewer, whole, moved, cached and packed."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.viewer import PackedFiles
from reading_worklist.viewer.package import relocate_page, relocate_script, relocate_style
from storage import registry
from storage.objects import ObjectStore
from storage.registry import Role
from tests.support.seed import PASSWORD, Consortium, password_hash

BUNDLE = "app.bundle.0123456789abcdef0123.js"
PAGE = f"""<html><head><link href="/assets/favicon.ico"/><script>
window.PUBLIC_URL = '/';</script><script src="/app-config.js"></script>
<script defer="defer" src="/{BUNDLE}"></script></head></html>"""
SCRIPT = '/******/ __webpack_require__.p = "/";\nconst other = "/";'


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package laid out as the viewer's build is."""
    dist = tmp_path / "ohif"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(PAGE)
    (dist / BUNDLE).write_text(SCRIPT)
    (dist / "app.bundle.css").write_text("@font-face{src:url(/a.woff2)}p{x:url('/b.png')}")
    (dist / "codec.wasm").write_bytes(b"\0asm")
    (dist / "assets" / "favicon.ico").write_bytes(b"\0")
    (dist / "manifest.json").write_text('{"src": "/assets/a.png"}')
    (tmp_path / "secret.txt").write_text("secret")
    return dist


@pytest.fixture
def consortium(database: object) -> Consortium:
    return Consortium(database)  # pyright: ignore[reportArgumentType] -- the fixture


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, package: Path, tmp_path: Path) -> FastAPI:
    config = WebConfig(web_ui=tmp_path / "web", ohif=package, fonts=(), trust_anchors=())
    return create_app(config, consortium.database, objects)


@pytest.fixture
def stranger(app: FastAPI) -> TestClient:
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    client.headers["Accept-Encoding"] = "identity"
    return client


@pytest.fixture
def reader(stranger: TestClient) -> TestClient:
    answer = stranger.post("/api/session", json={"login": "reviewer", "password": PASSWORD})
    assert answer.status_code == 200
    return stranger


def test_page_is_moved_and_found_at_every_address_it_routes(reader: TestClient) -> None:
    for path in ("viewer?StudyInstanceUIDs=1.2.3&site=EAST", "segmentation", "a/b/c"):
        answer = reader.get(f"/viewer/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f'src="/viewer/{BUNDLE}"' in answer.text
        assert "window.PUBLIC_URL = '/viewer/'" in answer.text
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert len(re.findall(r"'sha256-[^']+'", policy)) == 1


def test_page_and_settings_need_a_session(stranger: TestClient) -> None:
    page = stranger.get("/viewer/viewer?StudyInstanceUIDs=1.2.3")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    settings = stranger.get("/viewer/app-config.js")
    assert settings.status_code == 401
    assert settings.headers["content-type"] == "application/problem+json"


def test_roles_without_clinical_reading_get_no_viewer(
    consortium: Consortium, stranger: TestClient
) -> None:
    with consortium.database.transaction() as session:
        registry.add_person(
            session,
            "auditor",
            "审计",
            password_hash(),
            organisation=consortium.centre,
            roles=(Role.AUDITOR,),
        )
    stranger.post("/api/session", json={"login": "auditor", "password": PASSWORD})
    assert stranger.get("/viewer/viewer?StudyInstanceUIDs=1.2.3").status_code == 403
    page = stranger.get("/viewer/viewer?StudyInstanceUIDs=1.2.3", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "您的角色不能查看图像" in page.text


def test_what_cannot_be_viewed_is_told_on_a_page(
    consortium: Consortium, reader: TestClient
) -> None:
    study = consortium.complete_study(local_id="P1")
    page = {"Accept": "text/html"}
    seen = f"/viewer/viewer?StudyInstanceUIDs={study.study_instance_uid}"
    assert reader.get(f"{seen}&site=EAST", headers=page).status_code == 200
    missing = (
        f"{seen}&site=WEST",
        f"{seen},1.2.3",
        f"{seen}&reading=00000000-0000-4000-8000-000000000000",
        f"{seen}&reading=x",
        "/viewer/viewer?StudyInstanceUIDs=..",
    )
    for address in missing:
        answer = reader.get(address, headers=page)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert "<h1>没有可显示的图像</h1>" in answer.text
        assert "There are no images to show" in answer.text
        assert study.study_instance_uid not in answer.text
    english = reader.get(missing[0], headers=page | {"Accept-Language": "en-GB"})
    assert '<html lang="en">' in english.text
    assert "<h1>There are no images to show</h1>" in english.text


def test_start_leads_to_the_studies_or_to_the_worklist(stranger: TestClient) -> None:
    for path in ("/viewer", "/viewer/"):
        led = stranger.get(f"{path}?StudyInstanceUIDs=1.2.3&site=EAST")
        assert led.headers["location"] == "/viewer/viewer?StudyInstanceUIDs=1.2.3&site=EAST"
        assert stranger.get(path).headers["location"] == "/"


def test_settings_are_ours(reader: TestClient) -> None:
    answer = reader.get("/viewer/app-config.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    for setting in ("routerBasename: '/viewer'", "showStudyList: false", "option: 'never'"):
        assert setting in answer.text


def test_files_have_the_right_types_and_caching(stranger: TestClient) -> None:
    expected = {
        BUNDLE: ("text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        "app.bundle.css": ("text/css; charset=utf-8", "no-cache"),
        "codec.wasm": ("application/wasm", "no-cache"),
        "assets/favicon.ico": ("image/x-icon", "no-cache"),
        "manifest.json": ("application/json", "no-cache"),
    }
    for path, (media_type, caching) in expected.items():
        answer = stranger.get(f"/viewer/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == media_type
        assert answer.headers["cache-control"] == caching
        assert answer.headers["x-content-type-options"] == "nosniff"
        tag = {"If-None-Match": answer.headers["etag"]}
        assert stranger.get(f"/viewer/{path}", headers=tag).status_code == 304
    assert stranger.get("/viewer/manifest.json").json() == {"src": "/viewer/assets/a.png"}


def test_files_are_packed_for_those_who_can_unpack(stranger: TestClient) -> None:
    plain = stranger.get(f"/viewer/{BUNDLE}")
    with stranger.stream(
        "GET", f"/viewer/{BUNDLE}", headers={"Accept-Encoding": "br, gzip"}
    ) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert answer.headers["etag"] != plain.headers["etag"]
    refused = stranger.get(f"/viewer/{BUNDLE}", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_files_from_memory_are_answered_as_the_first_time(reader: TestClient, coding: str) -> None:
    """Also after somebody who may see the page has asked for it, which is never shared."""
    reader.get("/viewer/viewer?StudyInstanceUIDs=1.2.3")
    asking = {"Accept-Encoding": coding}
    first = reader.get(f"/viewer/{BUNDLE}", headers=asking)
    again = reader.get(f"/viewer/{BUNDLE}", headers=asking)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    for answer in (first, again):
        # Each request has its own number.
        del answer.headers["x-request-id"]
    assert again.headers == first.headers
    known = reader.get(
        f"/viewer/{BUNDLE}", headers=asking | {"If-None-Match": first.headers["etag"]}
    )
    assert (known.status_code, known.content) == (304, b"")
    reader.delete("/api/session")
    reader.cookies.clear()
    for path in ("viewer?StudyInstanceUIDs=1.2.3", "index.html"):
        assert reader.get(f"/viewer/{path}").status_code == 303
    assert reader.get("/viewer/app-config.js").status_code == 401


def test_nothing_outside_the_package_is_served(reader: TestClient) -> None:
    for path in ("..%2fsecret.txt", "assets/..%2f..%2fsecret.txt", "%00", "no.js", "x" * 5000):
        answer = reader.get(f"/viewer/{path}")
        assert "secret" not in answer.text
        assert answer.status_code in {200, 404}
    assert reader.get("/viewer/no-such.bundle.js").status_code == 404


def test_packed_files_are_kept_for_the_next_start(tmp_path: Path) -> None:
    kept = tmp_path / "cache" / "viewer"
    data = b"window.a = 1;" * 1000
    packed = PackedFiles(kept).pack(data)
    assert gzip.decompress(packed) == data
    (file,) = kept.iterdir()
    assert PackedFiles(kept).pack(data) == packed
    # A crash in the middle, and a directory that nobody may write: packed again, and right.
    file.write_bytes(packed[:20])
    assert PackedFiles(kept).pack(data) == packed
    assert file.read_bytes() == packed
    file.unlink()
    kept.rmdir()
    kept.write_bytes(b"no directory")
    assert PackedFiles(kept).pack(data) == packed


def test_missing_or_foreign_package_is_told(
    consortium: Consortium, objects: ObjectStore, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for name, content in (("nowhere", None), ("foreign", PAGE.replace("PUBLIC_URL", "OTHER"))):
        if content is not None:
            (foreign / "index.html").write_text(content)
            (foreign / BUNDLE).write_text(SCRIPT)
        config = WebConfig(tmp_path / "web", tmp_path / name, fonts=(), trust_anchors=())
        client = TestClient(create_app(config, consortium.database, objects))
        answer = client.get(f"/viewer/{BUNDLE}")
        assert answer.status_code == 503
        assert "make setup" in answer.json()["remedy"]
        page = client.get("/viewer/viewer", headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert "服务器上没有安装阅片器" in page.text


@pytest.mark.parametrize(
    ("relocate", "text", "expected"),
    [
        (
            relocate_page,
            '<a href="/x"><img src="//cdn/y">',
            '<a href="/viewer/x"><img src="//cdn/y">',
        ),
        (relocate_style, b"url(/x)url(data:y)", b"url(/viewer/x)url(data:y)"),
        (
            relocate_script,
            b"__webpack_require__.p = '/'; a.p = '/'",
            b"__webpack_require__.p = '/viewer/'; a.p = '/'",
        ),
    ],
)
def test_only_links_to_the_root_are_moved(
    relocate: Callable[[object], object], text: object, expected: object
) -> None:
    assert relocate(text) == expected
