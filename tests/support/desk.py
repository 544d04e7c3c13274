"""One workitem and the people who work on it over HTTP, from claim to delivery."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import select

from pacs_gateway.returns.engine import create_deliveries
from reading_worklist.reports.recalls import acknowledge_delivery
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.deliveries import Delivery, DeliveryState
from storage.messages import ReportDelivered, ReportIssued
from storage.outbox import OutboxMessage
from tests.support.seed import Consortium
from tests.support.web import PIN, Browser

TEXT = {"findings": "双肺纹理清晰。", "impression": "未见明显异常。", "advice": "随诊。"}


class Desk:
    """One workitem and the people who work on it, each signed in once."""

    def __init__(self, app: FastAPI, consortium: Consortium, workitem_id: UUID) -> None:
        self.app = app
        self.consortium = consortium
        self.database = consortium.database
        self.id = workitem_id
        self.path = f"/api/workitems/{workitem_id}"
        self._browsers: dict[str, Browser] = {}

    def __call__(self, login: str) -> Browser:
        if login not in self._browsers:
            self._browsers[login] = Browser(self.app, login)
        return self._browsers[login]

    def do(self, login: str, action: str, expected: str = "", **body: object) -> dict[str, Any]:
        answer = self(login).post(f"{self.path}/{action}", **body)
        assert answer.status_code == 200, answer.text
        if expected:
            assert answer.json()["state"] == expected
        return answer.json()

    def refused(self, login: str, action: str, status: int, code: str, **body: object) -> None:
        answer = self(login).post(f"{self.path}/{action}", **body)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:rdc:problem:{code}")

    def draft(self, login: str, impression: str, **codes: str) -> int:
        seen = self(login).get(self.path).json()["draft"]
        revision = seen["revision"] if seen else 0
        body = {**TEXT, "impression": impression, "codes": codes, "revision": revision}
        saved = self(login).put(f"{self.path}/draft", **body)
        assert saved.status_code == 200, saved.text
        return saved.json()["revision"]

    def write(self, login: str = "writer", impression: str = TEXT["impression"]) -> dict[str, Any]:
        self.do(login, "claim", "CLAIMED")
        revision = self.draft(login, impression)
        return self.do(login, "submit", revision=revision, signing_pin=PIN)

    def finalise(self, login: str = "reviewer") -> dict[str, Any]:
        self.do(login, "review", "REVIEWING")
        return self.do(login, "finalise", "PUBLISHED", signing_pin=PIN)

    def item(self) -> Workitem:
        with self.database.transaction() as session:
            return session.get_one(Workitem, self.id)

    def messages(self, kind: type[Any]) -> list[Any]:
        with self.database.transaction() as session:
            rows = session.scalars(
                select(OutboxMessage)
                .where(OutboxMessage.topic == kind.topic)
                .order_by(OutboxMessage.created_at)
            )
            return [kind.model_validate(row.payload) for row in rows]

    def deliver(self, issued: ReportIssued | UUID, *, holds_report: bool = True) -> None:
        """Let the gateway make the deliveries of a version, and every one of them arrive.

        holds_report: not as a notice alone.
        """
        version = issued if isinstance(issued, UUID) else issued.report_version_id
        with self.database.transaction() as session:
            if isinstance(issued, ReportIssued):
                create_deliveries(session, issued)
            rows = session.scalars(
                select(Delivery).where(
                    Delivery.report_version_id == version,
                    Delivery.state == DeliveryState.PENDING,
                )
            ).all()
            for row in rows:
                row.state = DeliveryState.DELIVERED
                row.delivered_at = utc_now()
                row.attempts = 1
            told = [
                ReportDelivered(
                    delivery_id=row.id,
                    report_version_id=version,
                    workitem_id=self.id,
                    destination_id=row.destination_id,
                    delivered_at=row.delivered_at or utc_now(),
                    holds_report=holds_report,
                )
                for row in rows
            ]
        for message in told:
            with self.database.transaction() as session:
                acknowledge_delivery(session, message)
