"""Telling a site's own software of a report: a POST that it can verify and recognise.

The shape is that of the Standard Webhooks specification, so that receivers find a library: three
headers, of which `webhook-signature` is an HMAC-SHA256 over id, time and body. The id is that of
the report version at the destination; a receiver that has seen it has the message already. The time
is that of the attempt; a receiver refuses what is older than five minutes, and what was recorded
and is played again.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import Channel, DeliveryAnswer, Parcel, Target
from pacs_gateway.returns.outbound import OutboundRules
from pacs_gateway.returns.web_client import NotReached, WebClient
from pacs_gateway.tls import TlsUnusable
from storage.clock import utc_now
from storage.destination_trials import Finding, Tried
from storage.issued_reports import IssuedReport, to_json
from storage.registry.destination_settings import WebhookSettings, read_secret
from storage.registry.refusal import RegistryRefused

MOST_SECRETS: Final = 3
LONGEST_BODY: Final = 1024 * 1024
_PREFIX: Final = "whsec_"
# The namespace of the ids of what is told; drawn once.
_NAMESPACE: Final = UUID("b0a8c0a3-5d9f-4a41-9a2d-6f2b6c7b4c55")
_SHARE_OF_LEASE: Final = 0.75


def open_channel(target: Target, config: ReturnsConfig) -> Channel:
    """Return a channel to a web address; it connects at its first parcel."""
    return WebhookChannel(target, config)


class WebhookChannel:
    """A web address that is told; not shared between threads."""

    def __init__(self, target: Target, config: ReturnsConfig) -> None:
        """Note where it is."""
        assert isinstance(target.settings, WebhookSettings)
        self._target = target
        self._settings = target.settings
        self._seconds = config.lease_seconds * _SHARE_OF_LEASE
        self._client = WebClient(
            self._settings.url,
            self._settings.tls,
            OutboundRules.of(config.outbound_allowed, config.outbound_denied),
            connect_seconds=config.connect_timeout_seconds,
            answer_seconds=self._settings.answer_seconds,
        )

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Post what there is to tell; delivered when the answer is a success."""
        until = time.monotonic() + self._seconds
        known = event_id(
            parcel.report_version_id, self._target.id, transmission=parcel.transmission
        )
        content = body(known, parcel.report(), with_report=self._settings.with_report)
        # Without the report itself, the record may keep it as it is; with it, cut like the others.
        request = content.decode()
        if len(content) > LONGEST_BODY:
            return DeliveryAnswer.refused(
                f"the report has {len(content)} bytes as JSON, more than {LONGEST_BODY}",
                request=request,
            )
        try:
            headers = self._signed(known, content)
            return self._client.post(content, headers, until=until).answer(request)
        except NotReached as error:
            return error.answer(request)
        except (RegistryRefused, TlsUnusable) as error:
            # Ours to mend, and then it goes out by itself.
            return DeliveryAnswer.try_again(str(error), whole_destination=True, request=request)

    def try_out(self) -> Tried:
        """Post an event "ping", signed like every other, that tells of no report."""
        known = f"msg_{uuid4().hex}"
        told: dict[str, Any] = {
            "id": known,
            "type": "ping",
            "timestamp": utc_now().isoformat(),
            "data": {},
        }
        content = json.dumps(told, separators=(",", ":")).encode()
        until = time.monotonic() + self._seconds
        try:
            return self._client.post(content, self._signed(known, content), until=until).tried()
        except NotReached as error:
            return error.tried()
        except (RegistryRefused, TlsUnusable) as error:
            return Tried(Finding.NOT_SET_UP, str(error))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _signed(self, known: str, content: bytes) -> dict[str, str]:
        """Return the headers of a message of this moment; raises RegistryRefused."""
        secrets = secrets_in(read_secret(self._settings.secret_file))
        return signed_headers(known, int(utc_now().timestamp()), content, secrets)


def event_id(report_version_id: UUID, destination_id: UUID, *, transmission: int = 0) -> str:
    """Return the id under which a destination is told of a version; always the same.

    transmission: how often it was told already; who is told anew by a person's wish shall look.
    """
    named = f"{report_version_id}:{destination_id}:{transmission}"
    return f"msg_{uuid5(_NAMESPACE, named).hex}"


def body(known: str, report: IssuedReport, *, with_report: bool) -> bytes:
    """Return the JSON that is posted: which report, of which exam, and where it is verified.

    with_report: also the report in its neutral form, with patient and text.
    """
    replaced = report.predecessor
    told: dict[str, Any] = {
        "id": known,
        "type": "report.revoked" if report.status == "entered-in-error" else "report.issued",
        "timestamp": report.times.issued.isoformat(),
        "data": {
            "report_id": str(report.report_version_id),
            "kind": report.kind.value,
            "status": report.status,
            "version": report.version_number,
            "replaces": None if replaced is None else str(replaced.report_version_id),
            "site": report.site.code,
            "study_instance_uid": report.exam.study_instance_uid,
            "accession_number": report.order.accession_number,
            "placer_order_number": report.order.placer_order_number,
            "filler_order_number": report.order.filler_order_number,
            "issued_at": report.times.issued.isoformat(),
            "document_sha256": report.document.sha256,
            "verification_url": report.document.verification_url,
        },
    }
    if with_report:
        content = to_json(report)
        document = content["document"]
        assert isinstance(document, dict)
        del document["object_key"]
        told["report"] = content
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def secrets_in(text: str) -> list[bytes]:
    """Return the keys in a secret's file: one a line, the newest first, at most three.

    While two stand there every message carries a signature by each, so that a receiver changes over
    when it likes. A line `whsec_…` holds base64, any other is the key itself.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [_key(line) for line in lines[:MOST_SECRETS]]


def _key(line: str) -> bytes:
    if line.startswith(_PREFIX):
        try:
            return base64.b64decode(line.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise RegistryRefused(
                "the secret of a webhook is not used",
                expected="base64 behind whsec_",
                found="something else",
                remedy="Correct the secret file.",
            ) from error
    return line.encode()


def signed_headers(
    known: str, timestamp: int, content: bytes, secrets: Sequence[bytes]
) -> dict[str, str]:
    """Return the headers of a message.

    known: its id. timestamp: seconds since 1970. secrets: the keys, each of which signs.
    """
    signed = b".".join((known.encode(), str(timestamp).encode(), content))
    signatures = [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
        for key in secrets
    ]
    return {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": known,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
