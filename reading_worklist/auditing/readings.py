"""Who saw what: which addresses show something of a patient, and the record that is written of it.

A change is audited by the service that makes it, in its transaction. Reading has no such place: a
viewer alone has three roads to its frames. So the whole of it is one table, by address, and one
ASGI middleware in front of all roads. The record is there before the answer leaves; where it cannot
be written, nothing is shown.

Who looks at the same thing again and again within `AGAIN` is recorded once: a page that is
refreshed every few seconds would bury the trail. Several web processes each record it once.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

from anyio.to_thread import run_sync
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from reading_worklist.problems import problem_response
from reading_worklist.services import COOKIE, Services, resumed_scope
from storage import audit
from storage.errors import RdcError

AGAIN: Final = timedelta(minutes=15)
_KEPT_MAX: Final = 50_000
_SHOWN: Final = frozenset({200, 206, 304})

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """Something of a patient that an address shows: the act, and what it was done to."""

    action: str
    subject_kind: str
    subject_id: str


_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ROOT: Final = r"/dicom-web(?:/sites/[^/]+|/readings/[^/]+)?"

# Pages that show one thing: the word in the address → (act, kind of subject).
_ONE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "consultations": ("consultation:see", "consultation"),
        "critical-values": ("critical_value:see", "critical_value"),
        "deliveries": ("delivery:see", "delivery"),
        "ecg-files": ("ecg_file:see", "ecg_file"),
        "exams": ("exam:see", "exam"),
        "identity/cases": ("identity:see", "identity_case"),
        "keeping/purges": ("purge:see", "purge"),
        "ledger": ("exam:see", "exam"),
        "orders": ("order:see", "order"),
        "portal/exams": ("exam:see", "exam"),
        "quarantine": ("quarantine:see", "quarantine"),
        "reports": ("report:see", "report_version"),
        "retakes": ("retake:see", "retake"),
        "series": ("series:see", "series"),
        "workitems": ("workitem:see", "workitem"),
    }
)
# What a list fetches for each of its rows: nobody has opened anything.
_OF_A_LIST: Final = re.compile(
    rf"/api/(?P<id>workitems)/{_UUID}/(?:quality|ecg/quality|ecg/thumbnail\.svg)"
)
_OF_ONE: Final = re.compile(rf"/api/(?P<page>{'|'.join(_ONE)})/(?P<id>{_UUID})(?:/.*)?")
_LISTS: Final = re.compile(
    r"/api/(?P<id>consultations|critical-values|deliveries|delivery-queues|ecg-files|"
    r"ecg/emergency/(?:answered|indicators/exams|waiting)|emergency-accesses|exam-notes/unread|"
    r"identity/cases|keeping/(?:due|holds|purges|verification)|ledger|ledger\.csv|"
    r"orders|orders/earlier|orders/patients|phone-list|portal/(?:exams|home|recalls)|"
    r"portal/statistics/exams|preliminary-reports|quarantine|retakes|workitems|worklist/lines)"
)
_STUDY: Final = re.compile(_ROOT + r"/studies/(?P<id>[^/]+)(?:/.*)?")
_WADO: Final = re.compile(_ROOT + "/wado")
_SEARCH: Final = re.compile(_ROOT + r"/(?P<id>studies|series|instances|workitems)(?:/[^/]+)?")
_INSTANCE: Final = re.compile(r"/api/ecg-instances/(?P<id>[^/]+)/.*")

NOT_OF_PATIENTS: Final = re.compile(
    # The pages and the viewer as such, what they are told of themselves, and our own state.
    r"/|/(?!api/|dicom-web/|fhir/).*|/api/(?:openapi\.json|session(?:/.*)?|account/.*|sites)|"
    # How the centre is set up, and who works there.
    r"/api/(?:agreements(?:/parties)?|clocks|critical-values/(?:clocks|contacts/.*|rulesets)|"
    r"branches|destinations|ecg-statements|ecg/critical-list|experts|keeping/(?:rules|usage)|"
    r"machine-tokens|orders/procedures|people(?:/.*)?|procedures|readers|reading-groups|recognition-marks|roster|"
    r"routing/rulesets|single-signatures|site-tests(?:/.*)?|snippets|template-regions|templates(?:/.*)?|"
    r"working-time|worklist/(?:preferences|views))|"
    # Counts.
    r"/api/(?:ecg/emergency/indicators|ledger/counts|portal/statistics(?:\.csv)?|worklist/board)|"
    # Audited by its own route, whose record says what was searched for.
    r"/api/audit(?:/.*)?|"
    # As is the stream of changes: only people of the centre are told lines of the worklist.
    r"/api/events|"
    # Who holds the code of a printed report sees whether it is genuine.
    r"/api/verify/.*|"
    # Machines with a token of their site: their own services record what each fetched.
    r"/fhir/.*|/api/machine/.*|"
    # Who opens a shared study with a link has no session: each visit is recorded as it begins.
    r"/dicom-web/shares/.*|/api/shared(?:/.*)?"
)
"""Addresses that show nothing of a patient to a person, or are audited elsewhere."""


def reading_of(path: str, query: str = "") -> Reading | None:
    """Return what a GET of an address shows of a patient; None when it shows nothing."""
    if path.startswith("/dicom-web/"):
        return _of_dicomweb(path, query)
    if not path.startswith("/api/"):
        return None
    if found := None if _OF_A_LIST.fullmatch(path) else _OF_ONE.fullmatch(path):
        return Reading(*_ONE[found["page"]], found["id"])
    if found := _INSTANCE.fullmatch(path):
        return Reading("instance:see", "instance", found["id"])
    found = _OF_A_LIST.fullmatch(path) or _LISTS.fullmatch(path)
    return Reading("list:see", "list", found["id"]) if found else None


def _of_dicomweb(path: str, query: str) -> Reading | None:
    if found := _STUDY.fullmatch(path):
        return Reading("study:see", "dicom_study", found["id"])
    if _WADO.fullmatch(path):
        return Reading("study:see", "dicom_study", parse_qs(query).get("studyUID", ["?"])[0][:64])
    if found := _SEARCH.fullmatch(path):
        return Reading("study:search", "list", found["id"])
    return None


class ReadingAudit:
    """ASGI middleware that records what a person is shown of a patient, before it is shown."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, Reading], float] = OrderedDict()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        reading = reading_of(scope["path"], scope["query_string"].decode("latin-1"))
        token = None if reading is None else _token(scope)
        if reading is None or token is None or self._seen(token, reading):
            await self._app(scope, receive, send)
            return

        withheld = False

        async def sending(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start" and message["status"] in _SHOWN:
                client = scope.get("client")
                try:
                    await run_sync(self._record, token, client[0] if client else "unknown", reading)
                except (RdcError, SQLAlchemyError) as error:
                    withheld = True
                    _log.error("nothing shown", extra={"unrecorded": type(error).__name__})
                    await _unrecorded()(scope, receive, send)
            if not withheld:
                await send(message)

        await self._app(scope, receive, sending)

    def _seen(self, token: str, reading: Reading) -> bool:
        """Tell whether this session was shown the same a while ago."""
        until = self._recent.get((token, reading))
        return until is not None and until > time.monotonic()

    def _record(self, token: str, client: str, reading: Reading) -> None:
        scope = self._services.recent_scopes.recall(token, client) or resumed_scope(
            self._services, token, client
        )
        with self._services.database.reading() as connection:
            audit.record_alone(
                connection,
                scope.actor,
                reading.action,
                subject_kind=reading.subject_kind,
                subject_id=reading.subject_id,
            )
        with self._lock:
            self._recent[token, reading] = time.monotonic() + AGAIN.total_seconds()
            self._recent.move_to_end((token, reading))
            while len(self._recent) > _KEPT_MAX:
                self._recent.popitem(last=False)


def _unrecorded() -> Response:
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "What is seen has to be recorded first, and the audit trail takes no records",
        remedy="Try again in a moment; if it stays, tell your system administrator.",
        headers={"Retry-After": "5"},
    )


def _token(scope: Connection) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            return cookie_parser(value.decode("latin-1")).get(COOKIE)
    return None
