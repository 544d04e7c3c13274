"""The web application in-process, and browsers of seeded people."""

from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from reading_worklist.access.policy import AccessPolicy
from reading_worklist.app import create_app
from reading_worklist.services import WebConfig
from reading_worklist.signing.credentials import issue_credential
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.providers.sealed import GuessCost
from storage.database import Database
from storage.objects import ObjectStore
from tests.support.authority import open_centre
from tests.support.seed import PASSWORD, Consortium

PIN = "428193"
# Three keys for each test and one opened for each signature: at full cost an eighth of the suite.
CHEAP = GuessCost(passes=1, memory_kib=8)


def application(
    consortium: Consortium,
    objects: ObjectStore,
    directory: Path,
    *,
    signers: bool = True,
    web_ui: Path | None = None,
    access: AccessPolicy | None = None,
) -> FastAPI:
    """The application over the consortium's database, its doctors with signing keys under `PIN`.

    web_ui: where the built pages are, for tests that open them.
    access: what is demanded of who signs in; None: a password.
    """
    centre = open_centre(directory / "authority")
    if signers:
        give_keys(consortium, directory)
    config = WebConfig(
        web_ui=web_ui or directory / "web",
        ohif=directory / "ohif",
        fonts=(),
        trust_anchors=(centre.authority.certificate_pem,),
        long_term=LongTerm(centre.service_keys),
        access=access or AccessPolicy(),
        signing_authority=lambda: centre.authority,
    )
    return create_app(config, consortium.database, objects)


def give_keys(consortium: Consortium, directory: Path) -> None:
    """Issue a signing key under `PIN` to each doctor of the centre."""
    authority = open_centre(directory / "authority").authority
    with consortium.database.transaction() as session:
        for login in ("writer", "writer2", "reviewer", "reviewer2"):
            person = consortium.people[login]
            issue_credential(
                session,
                authority,
                person_id=person.id,
                display_name=person.display_name,
                organisation=consortium.centre.name,
                pin=PIN,
                cost=CHEAP,
            )


class Browser:
    """Somebody signed in: requests carry the cookie and the CSRF token."""

    def __init__(self, app: FastAPI, login: str, database: Database | None = None) -> None:
        self.database = database
        self.client = TestClient(app)
        answer = self.client.post("/api/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.client.post(path, json=body)

    def put(self, path: str, **body: object) -> httpx.Response:
        return self.client.put(path, json=body)
