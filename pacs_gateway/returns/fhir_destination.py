"""Delivering to a FHIR R4 server: a transaction, delivered when it says that all is stored."""

import base64
import json
import time
from typing import Any, Final, cast

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Channel, DeliveryAnswer, Outcome, Parcel, Target
from pacs_gateway.returns.fhir_bundle import transaction
from pacs_gateway.returns.outbound import OutboundRules
from pacs_gateway.returns.web_client import NotReached, WebAnswer, WebClient
from pacs_gateway.tls import TlsUnusable
from storage.destination_trials import Finding, Tried
from storage.fhir.elements import MEDIA_TYPE, Element
from storage.fhir.identities import Systems
from storage.registry.destination_settings import FhirSettings, read_secret
from storage.registry.refusal import RegistryRefused

ANSWER_BYTES: Final = 4 * 1024 * 1024
"""Servers that do not know `Prefer` answer with the resources, documents and all."""
_SHARE_OF_LEASE: Final = 0.75
_SUCCESS: Final = range(200, 300)
# Of one entry or of the whole: what may be taken as it is another time. 409: somebody writes the
# same at this moment (R4 §3.1.0.5).
_LATER: Final = frozenset({408, 409, 423, 425, 429})
_SERVER_ERRORS: Final = range(500, 600)
# Settings of ours, or a server that is being set up: mended, everything goes out by itself.
_NOT_LET_IN: Final = {
    401: "the server does not take our credentials",
    403: "the server does not let us write",
    404: "there is no FHIR server at this address",
    405: "the server takes no transactions at this address",
}
_ISSUES_SHOWN: Final = 5
_REFUSED_AS_EMPTY: Final = frozenset({400, 409, 412, 422})


def open_channel(target: Target, config: ReturnsConfig) -> Channel:
    """Return a channel to a FHIR server; it connects at its first parcel."""
    return FhirChannel(target, config)


class FhirChannel:
    """A FHIR server that takes transactions; not shared between threads."""

    def __init__(self, target: Target, config: ReturnsConfig) -> None:
        """Note where it is and what it wants."""
        assert isinstance(target.settings, FhirSettings)
        self._settings = settings = target.settings
        self._seconds = config.lease_seconds * _SHARE_OF_LEASE
        self._systems = Systems.of_site(
            target.site_id,
            patient=settings.patient_system,
            visit=settings.visit_system,
            accession=settings.accession_system,
            placer=settings.placer_system,
            procedure=settings.procedure_system,
        )
        self._client = WebClient(
            settings.url,
            settings.tls,
            OutboundRules.of(config.outbound_allowed, config.outbound_denied),
            connect_seconds=config.connect_timeout_seconds,
            answer_seconds=settings.answer_seconds,
            answer_bytes=ANSWER_BYTES,
        )

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Send the transaction; delivered when each entry's own status says that it is stored."""
        until = time.monotonic() + self._seconds
        pdf = parcel.pdf() if self._settings.with_pdf else None
        bundle = transaction(parcel.report(), parcel.replaced_reports(), self._systems, pdf)
        content = json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()
        request = _shown(bundle)
        try:
            headers = {
                **self._headers(),
                "Prefer": "return=minimal",
                "X-Request-Id": f"{parcel.delivery_id}-{parcel.attempt_number}",
            }
            answer = self._client.post(content, headers, until=until)
        except NotReached as error:
            return error.answer(request)
        except (RegistryRefused, TlsUnusable) as error:
            # Ours to mend, and then it goes out by itself.
            return DeliveryAnswer.try_again(str(error), whole_destination=True, request=request)
        return judge(answer, bundle, request)

    def try_out(self) -> Tried:
        """Ask what the server can do (R4 §3.1.0.8), then send it a transaction without entries.

        The first needs no credentials at most servers; the second does, and stores nothing.
        """
        try:
            headers = self._headers()
            answer = self._client.get("metadata", {"Accept": MEDIA_TYPE, **self._credentials()})
            found = judge_statement(answer)
            if found is not None:
                return found
            # Over a connection of its own: a server may close the first one without having said
            # so, and what was just on its way then would be told as "no answer".
            self._client.close()
            empty = self._client.post(
                b'{"resourceType":"Bundle","type":"transaction"}',
                headers,
                until=time.monotonic() + self._seconds,
            )
        except NotReached as error:
            return error.tried()
        except (RegistryRefused, TlsUnusable) as error:
            return Tried(Finding.NOT_SET_UP, str(error))
        version = _parsed(answer.body).get("fhirVersion")
        said = f"FHIR {version}; a transaction without entries: HTTP {empty.status}"
        return Tried(_of_empty(empty), said, answer.clock)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
            "Accept": MEDIA_TYPE,
            **self._credentials(),
        }

    def _credentials(self) -> dict[str, str]:
        settings = self._settings
        if settings.token_file is not None:
            return {"Authorization": f"Bearer {read_secret(settings.token_file)}"}
        if settings.password_file is not None:
            pair = f"{settings.user}:{read_secret(settings.password_file)}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}
        return {}


def judge_statement(answer: WebAnswer) -> Tried | None:
    """Return what is wrong with the answer to "metadata"; None when reports may be sent there."""
    if not answer.succeeded:
        return answer.tried()
    told = _parsed(answer.body)
    if told.get("resourceType") != "CapabilityStatement":
        return Tried(Finding.NOT_TAKEN, "what answers is no FHIR server: no CapabilityStatement")
    version = str(told.get("fhirVersion", ""))
    if not version.startswith("4."):
        return Tried(Finding.NOT_TAKEN, f"FHIR version {version[:20] or 'unknown'}, expected 4.0")
    codes = {
        one.get("code")
        for rest in _objects(told.get("rest"))
        for one in _objects(rest.get("interaction"))
    }
    # A server that lists what it does with the whole of it, and transactions are not among it.
    if codes and not codes & {"transaction", "batch"}:
        return Tried(Finding.NOT_TAKEN, "the server says that it takes no transactions")
    return None


def _of_empty(answer: WebAnswer) -> Finding:
    """Return what the answer to a transaction without entries means.

    Some servers refuse one for having none: they have let us in, and that is what was asked.
    """
    found = answer.tried().finding
    if found is Finding.NOT_TAKEN and answer.status in _REFUSED_AS_EMPTY:
        return Finding.REACHED
    return found


def judge(answer: WebAnswer, bundle: Element, request: str) -> DeliveryAnswer:
    """Return what a server's answer to a transaction means for the delivery."""
    body = _parsed(answer.body)
    if not answer.succeeded:
        return _refused_as_a_whole(answer, _issues(body), request)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    statuses = _statuses(body)
    if statuses is None or len(statuses) != len(kinds):
        # A proxy's page, or a server that has stored who knows what: no proof, and no harm to ask
        # again, since the same transaction has no second effect.
        found = "no transaction-response" if statuses is None else f"{len(statuses)} entries"
        return DeliveryAnswer.try_again(
            f"HTTP {answer.status}, but {found} for {len(kinds)} resources",
            whole_destination=True,
            request=request,
            response=_bounded(answer),
        )
    failed = [
        (kind, status)
        for kind, status in zip(kinds, statuses, strict=True)
        if status not in _SUCCESS
    ]
    said = "not stored: " + ", ".join(f"{kind} {status}" for kind, status in failed)
    if not failed:
        outcome = Outcome.DELIVERED
        said = f"HTTP {answer.status}, {len(kinds)} resources stored, report {statuses[-1]}"
    elif all(status in _LATER or status in _SERVER_ERRORS for _, status in failed):
        outcome = Outcome.TRY_AGAIN
    else:
        outcome = Outcome.REFUSED
    return DeliveryAnswer(outcome, said, request=request, response=_bounded(answer))


def _refused_as_a_whole(answer: WebAnswer, issues: str, request: str) -> DeliveryAnswer:
    general = answer.answer(request)
    outcome, whole, said = general.outcome, general.whole_destination, general.said + issues
    if answer.status in _NOT_LET_IN:
        outcome, whole, said = Outcome.TRY_AGAIN, True, f"{said}: {_NOT_LET_IN[answer.status]}"
    elif answer.status in _LATER and not answer.may_succeed_later:
        outcome, whole = Outcome.TRY_AGAIN, False
    return DeliveryAnswer(
        outcome,
        said,
        whole_destination=whole,
        wait_seconds=general.wait_seconds,
        request=request,
        response=_bounded(answer),
    )


def _parsed(body: bytes) -> Element:
    """Return the JSON object that was answered; empty for anything else."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("Element", found) if isinstance(found, dict) else {}


def _objects(value: Any) -> list[Element]:  # noqa: ANN401 -- whatever a server writes
    """Return the JSON objects of a list; none for anything else."""
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("Element", one) for one in found if isinstance(one, dict)]


def _statuses(body: Element) -> list[int] | None:
    """Return the status of each entry, 0 for one without; None when it answers no transaction."""
    entries = body.get("entry")
    if (
        body.get("resourceType") != "Bundle"
        or body.get("type") != "transaction-response"
        or not isinstance(entries, list)
    ):
        return None
    return [_status(entry) for entry in cast("list[Any]", entries)]


def _status(entry: Any) -> int:  # noqa: ANN401 -- whatever a server writes
    response = cast("Element", entry).get("response") if isinstance(entry, dict) else None
    status = cast("Element", response).get("status") if isinstance(response, dict) else None
    # "201", or with its reason: "201 Created" (R4 Bundle.entry.response.status).
    word = str(status).split(" ", 1)[0]
    return int(word) if word.isascii() and word.isdigit() and len(word) == len("200") else 0


def _issues(body: Element) -> str:
    """Return the codes of an OperationOutcome; its texts may name the patient."""
    issues = body.get("issue") if body.get("resourceType") == "OperationOutcome" else None
    if not isinstance(issues, list):
        return ""
    codes = [
        str(cast("Element", one).get("code", ""))[:40]
        for one in cast("list[Any]", issues)[:_ISSUES_SHOWN]
        if isinstance(one, dict)
    ]
    return f" ({', '.join(code for code in codes if code)})" if any(codes) else ""


def _shown(bundle: Element) -> str:
    """Return the Bundle for the record of the attempt, its document left out."""

    def plain(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        if isinstance(value, list):
            return [plain(part) for part in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        return {
            name: "(document)" if name == "data" else plain(part)
            for name, part in cast("Element", value).items()
            if name != "text" or isinstance(part, str)
        }

    # The report last, since it comes last: what is cut off are the resources it refers to.
    entries = [plain(one) for one in reversed(bundle["entry"])]
    return json.dumps({"type": bundle["type"], "entry": entries}, ensure_ascii=False)


def _bounded(answer: WebAnswer) -> str:
    return answer.text[:8000]
