"""Sending spans to a collector: OTLP over HTTP in JSON (OpenTelemetry protocol 1.x).

A study's walk has about a dozen spans; for so few the SDK and its protobuf would be the largest
libraries that a worker loads. What the collector does not take is dropped: traces are for
understanding, and nothing waits for them.
"""

import json
import logging
import queue
import threading
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from storage.tracing import Span, Value

_WAITING: Final = 2048
_AT_ONCE: Final = 200
_EVERY_SECONDS: Final = 2.0
_TIMEOUT_SECONDS: Final = 5.0
_INTERNAL: Final = 1
_ERROR: Final = 2

_log = logging.getLogger(__name__)


class OtlpSender:
    """Takes spans and sends them from a thread of its own; made in the process that uses it."""

    def __init__(self, url: str, process: str) -> None:
        """Begin to send to the collector at `url`, whose traces are at `/v1/traces`."""
        self._url = f"{url.rstrip('/')}/v1/traces"
        self._process = process
        self._spans: queue.Queue[Span | None] = queue.Queue(_WAITING)
        self._is_refused = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def __call__(self, span: Span) -> None:
        """Take a span; when too many wait, it is dropped."""
        try:
            self._spans.put_nowait(span)
        except queue.Full:
            return

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        try:
            self._spans.put(None, timeout=_TIMEOUT_SECONDS)
        except queue.Full:
            return
        self._thread.join(2 * _TIMEOUT_SECONDS)

    def _run(self) -> None:
        is_over = False
        while not is_over:
            batch: list[Span] = []
            first = self._spans.get()
            is_over = first is None
            if first is not None:
                batch.append(first)
            while not is_over and len(batch) < _AT_ONCE:
                try:
                    following = self._spans.get(timeout=_EVERY_SECONDS)
                except queue.Empty:
                    break
                is_over = following is None
                batch += [] if following is None else [following]
            if batch:
                self._send(batch)

    def _send(self, batch: Sequence[Span]) -> None:
        request = urllib.request.Request(  # noqa: S310 -- the scheme is checked with the settings
            self._url,
            data=json.dumps(encode(batch, self._process)).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 -- as above
                pass
        except (OSError, ValueError) as error:
            # Once: a collector that is away must not fill the log.
            if not self._is_refused:
                _log.warning("traces are not taken", extra={"why": type(error).__name__})
            self._is_refused = True
        else:
            self._is_refused = False


def encode(spans: Sequence[Span], process: str) -> dict[str, Any]:
    """Return an ExportTraceServiceRequest as OTLP has it in JSON."""
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": _attributes({"service.name": "rdc", "rdc.process": process})
                },
                "scopeSpans": [
                    {"scope": {"name": "rdc"}, "spans": [_span(span) for span in spans]}
                ],
            }
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": _nanoseconds(span.began_at),
        "endTimeUnixNano": _nanoseconds(span.ended_at),
        "attributes": _attributes(span.attributes),
        "status": {"code": _ERROR} if span.failed else {},
    }


def _nanoseconds(moment: datetime) -> str:
    """Return Unix time; a string, since JSON's numbers do not hold it (proto3 JSON mapping)."""
    return str(int(moment.timestamp() * 1_000_000) * 1000)


def _attributes(values: dict[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
