"""Notices as short messages, through the HTTP service of whoever sends them.

Such services differ in the names of their fields and in how they say that something went wrong, so
both are settings: a template of what is posted, and what an answer has to hold beside its status.
"""

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.returns.channels import DeliveryAnswer, Parcel
from pacs_gateway.returns.hl7_report import control_id
from pacs_gateway.returns.notice_texts import NoticeText, notice_text, test_text
from pacs_gateway.returns.outbound import OutboundRules
from pacs_gateway.returns.web_client import NotReached, WebAnswer, WebClient
from pacs_gateway.tls import TlsUnusable
from storage.destination_trials import Finding, Tried
from storage.registry.destination_settings import NoticeSettings, read_secret
from storage.registry.refusal import RegistryRefused

_SHARE_OF_LEASE: Final = 0.75
_PLACE: Final = re.compile(r"\{(\w+)\}")


class SmsChannel:
    """A service that sends short messages; not shared between threads."""

    def __init__(
        self, destination_id: UUID, settings: NoticeSettings, config: ReturnsConfig
    ) -> None:
        """Note where it is."""
        self._destination_id = destination_id
        self._settings = settings
        self._web_address = config.web_address
        self._seconds = config.lease_seconds * _SHARE_OF_LEASE
        self._client = WebClient(
            settings.url or "",
            settings.tls,
            OutboundRules.of(config.outbound_allowed, config.outbound_denied),
            connect_seconds=config.connect_timeout_seconds,
            answer_seconds=settings.answer_seconds,
        )

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Post the notice, once for all recipients or for each; delivered when all were taken.

        An attempt that failed between two recipients is made again for both. A service that knows
        `Idempotency-Key`, or is given {id}, sends what it had before no second time.
        """
        settings = self._settings
        until = time.monotonic() + self._seconds
        told = notice_text(parcel.report(), settings.language, self._web_address)
        request = told.text
        try:
            token = self._token()
            for recipients in self._groups():
                known = control_id(
                    parcel.report_version_id,
                    self._destination_id,
                    transmission=parcel.transmission,
                    part=",".join(recipients),
                )
                content, headers = self._posted(told, recipients, token, known)
                answer = self._judged(self._client.post(content, headers, until=until), request)
                if not answer.is_delivered:
                    return answer
        except NotReached as error:
            return error.answer(request)
        except (RegistryRefused, TlsUnusable) as error:
            return DeliveryAnswer.try_again(str(error), whole_destination=True, request=request)
        return DeliveryAnswer.delivered(
            "taken by the service, which is no proof that it was read", request=request
        )

    def try_out(self) -> Tried:
        """Send the recipients a message that says that it is a test."""
        told = test_text(self._settings.language, "")
        until = time.monotonic() + self._seconds
        found = Tried(Finding.NOT_SET_UP, "nobody is named to be told")
        try:
            token = self._token()
            for recipients in self._groups():
                known = control_id(uuid4(), self._destination_id)
                content, headers = self._posted(told, recipients, token, known)
                web = self._client.post(content, headers, until=until)
                found = web.tried()
                if found.finding is Finding.WORKS:
                    answer = self._judged(web, "")
                    found = Tried(
                        Finding.WORKS if answer.is_delivered else Finding.NOT_TAKEN,
                        answer.said,
                        web.clock,
                    )
                if found.finding is not Finding.WORKS:
                    return found
        except NotReached as error:
            return error.tried()
        except (RegistryRefused, TlsUnusable) as error:
            return Tried(Finding.NOT_SET_UP, str(error))
        return found

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _token(self) -> str:
        secret = self._settings.secret_file
        return read_secret(secret) if secret else ""

    def _groups(self) -> list[tuple[str, ...]]:
        settings = self._settings
        if any("{recipients}" in value for value in settings.fields.values()):
            return [settings.recipients]
        return [(one,) for one in settings.recipients]

    def _posted(
        self, told: NoticeText, recipients: tuple[str, ...], token: str, known: str
    ) -> tuple[bytes, Mapping[str, str]]:
        settings = self._settings
        words = {
            "recipient": recipients[0],
            "recipients": ",".join(recipients),
            "text": told.text,
            "site": told.site,
            "centre": told.centre,
            "number": told.number,
            "link": told.link,
            "id": known,
            "token": token,
        }
        fields = {name: filled(value, words) for name, value in settings.fields.items()}
        in_body = any("{token}" in value for value in settings.fields.values())
        headers = {"Idempotency-Key": f'"{known}"'}
        if token and not in_body:
            headers["Authorization"] = f"Bearer {token}"
        if settings.form:
            content, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            content, kind = json.dumps(fields, ensure_ascii=False).encode(), "application/json"
        return content, {"Content-Type": f"{kind}; charset=utf-8", **headers}

    def _judged(self, answer: WebAnswer, request: str) -> DeliveryAnswer:
        """Return what an answer means: a success also has to hold what the settings expect."""
        found = answer.answer(request)
        if not found.is_delivered or not self._settings.success:
            return found
        try:
            told: Any = json.loads(answer.body)
        except ValueError:
            told = None
        values = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
        for name, expected in self._settings.success.items():
            if str(values.get(name)) != expected:
                return DeliveryAnswer.refused(
                    f"HTTP {answer.status}, but {name} is not {expected!r}",
                    request=request,
                    response=answer.text,
                )
        return found


def filled(template: str, words: Mapping[str, str]) -> str:
    """Return a template with the words in the place of their names in braces; others stay."""
    return _PLACE.sub(lambda found: words.get(found[1], found[0]), template)
