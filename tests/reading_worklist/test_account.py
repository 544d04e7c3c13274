"""One's own account: where one is signed in, and a new password."""

from pathlib import Path

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI
from fastapi.testclient import TestClient

from reading_worklist.access.passwords import hash_password, is_strong, verify_password
from storage.objects import ObjectStore
from tests.support.seed import PASSWORD, Consortium
from tests.support.web import Browser, application

NEW = "violet tractor 7 rains"


@pytest.fixture
def app(consortium: Consortium, objects: ObjectStore, tmp_path: Path) -> FastAPI:
    return application(consortium, objects, tmp_path, signers=False)


def test_a_session_is_ended_from_another_place(app: FastAPI) -> None:
    here, there = Browser(app, "writer"), Browser(app, "writer")
    listed = here.get("/api/account/sessions").json()
    assert [one["own"] for one in listed].count(True) == 1
    assert len(listed) == 2
    other = next(one["id"] for one in listed if not one["own"])
    left = here.client.delete(f"/api/account/sessions/{other}").json()
    assert [one["own"] for one in left] == [True]
    assert there.get("/api/session").status_code == 401
    assert here.get("/api/session").status_code == 200


def test_nobody_ends_anothers_session(app: FastAPI) -> None:
    mine, hers = Browser(app, "writer"), Browser(app, "reviewer")
    id_ = mine.get("/api/account/sessions").json()[0]["id"]
    for wrong in (id_, id_[:4], "%", "0" * 16):
        assert hers.client.delete(f"/api/account/sessions/{wrong}").status_code == 404
    assert mine.get("/api/session").status_code == 200


def test_a_new_password_replaces_the_old_and_ends_other_sessions(app: FastAPI) -> None:
    here, there = Browser(app, "writer"), Browser(app, "writer")
    body = {"old": PASSWORD, "new": NEW}
    assert here.client.put("/api/account/password", json=body).status_code == 204
    assert here.get("/api/session").status_code == 200
    assert there.get("/api/session").status_code == 401
    sign_in = {"login": "writer", "password": PASSWORD}
    assert TestClient(app).post("/api/session", json=sign_in).status_code == 401
    assert TestClient(app).post("/api/session", json={**sign_in, "password": NEW}).is_success


def test_a_wrong_old_password_is_refused_and_counted(app: FastAPI) -> None:
    here = Browser(app, "writer")
    body = {"old": "wrong", "new": NEW}
    answers = [here.client.put("/api/account/password", json=body) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert answers[0].json()["type"] == "urn:rdc:problem:wrong-password"


def test_a_password_that_would_be_guessed_is_refused(app: FastAPI) -> None:
    here = Browser(app, "writer")
    guessed = ("", "short 1", "password1234", "writer-writer", "wang12345678", PASSWORD, "1" * 1000)
    for new in guessed:
        answer = here.client.put("/api/account/password", json={"old": PASSWORD, "new": new})
        assert answer.status_code == 422, new
        assert answer.json()["type"] == "urn:rdc:problem:weak-password"


def test_who_looks_for_a_strong_one_need_not_wait(app: FastAPI) -> None:
    here = Browser(app, "writer")
    for _ in range(8):
        body = {"old": PASSWORD, "new": "password1234"}
        assert here.client.put("/api/account/password", json=body).status_code == 422
    body = {"old": PASSWORD, "new": NEW}
    assert here.client.put("/api/account/password", json=body).status_code == 204


def test_who_does_not_exist_is_refused_at_the_cost_of_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verify = PasswordHasher.verify
    refused: list[Parameters] = []

    def noting(hasher: PasswordHasher, stored: str, password: str) -> bool:
        # Worked out and found to differ, not refused at a glance as no hash at all.
        with pytest.raises(VerifyMismatchError) as told:
            verify(hasher, stored, password)
        refused.append(extract_parameters(stored))
        raise told.value

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    assert not verify_password(None, NEW)
    assert not verify_password(hash_password(PASSWORD), NEW)
    nobody, somebody = refused
    assert nobody == somebody


def test_what_is_strong() -> None:
    assert is_strong(NEW, ["writer"])
    assert is_strong("雨后拖拉机紫色七号鲸鱼", ["writer"])
    assert not is_strong("zhangwei.east", ["zhangwei", "east"])
