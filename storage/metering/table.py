"""Every metric of the system: its name, kind, labels and meaning; a page is made of it.

Names follow Prometheus: base units, `_total` for what only grows. Labels are words of ours (states,
kinds, route templates, status codes), never of a patient and never without bound. Points in time
are given as Unix time, 0 for none: how long ago that is, the one who asks works out, so that a
process that has died does not look well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What a metric is. LEVEL: of all processes together. LATEST: as the last that set it says."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    LEVEL = "gauge"
    LATEST = "gauge, latest"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. buckets: upper bounds of a histogram's, in its unit."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: Sequence[float] = ()


_SHORT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAITS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_WORK: Final = (60, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 172800)

_C, _H, _L, _N = Kind.COUNTER, Kind.HISTOGRAM, Kind.LEVEL, Kind.LATEST

METRICS: Final = MappingProxyType(
    {
        one.name: one
        for one in (
            # Receiving
            Metric(
                "rdc_dicom_associations_total",
                _C,
                "Associations that devices asked for, by what became of them: accepted, or the"
                " reason of the rejection.",
                ("result",),
            ),
            Metric("rdc_dicom_associations_open", _L, "Associations open now."),
            Metric(
                "rdc_dicom_instances_total",
                _C,
                "Instances answered over C-STORE, by the status of the answer (0000 is success).",
                ("status",),
            ),
            Metric("rdc_dicom_received_bytes_total", _C, "Bytes of datasets received so."),
            Metric(
                "rdc_spool_instances",
                _N,
                "Instances acknowledged and not filed yet, in this machine's spool.",
            ),
            Metric(
                "rdc_spool_oldest_timestamp_seconds",
                _N,
                "When the oldest of them came; 0: none waits.",
            ),
            Metric("rdc_spool_free_bytes", _N, "Free space of the disk that the spool is on."),
            Metric(
                "rdc_filed_instances_total",
                _C,
                "Instances taken out of the spool, by outcome: STORED, DUPLICATE or CONFLICT.",
                ("outcome",),
            ),
            Metric(
                "rdc_filing_lag_seconds",
                _H,
                "From the acknowledgement of an instance until it was in the index.",
                buckets=_WAITS,
            ),
            Metric(
                "rdc_hl7_messages_total",
                _C,
                "HL7 v2 messages answered, by acknowledgement code (MSA-1).",
                ("code",),
            ),
            # Messages and queues
            Metric("rdc_outbox_pending", _N, "Messages between the rooms, not handled yet."),
            Metric(
                "rdc_outbox_parked",
                _N,
                "Messages that failed again and again and wait for a person.",
            ),
            Metric(
                "rdc_outbox_oldest_timestamp_seconds",
                _N,
                "When the oldest message that is due was written; 0: none.",
            ),
            Metric(
                "rdc_messages_handled_total",
                _C,
                "Messages tried, by topic and result: handled or failed.",
                ("topic", "result"),
            ),
            Metric(
                "rdc_message_lag_seconds",
                _H,
                "From the writing of a message until it was handled.",
                ("topic",),
                _WAITS,
            ),
            Metric(
                "rdc_queue_messages",
                _N,
                "Tasks that wait in the broker, by queue.",
                ("queue",),
            ),
            # Reading
            Metric(
                "rdc_workitems",
                _N,
                "Exams that are not finished, by lane (imaging, ecg) and state.",
                ("lane", "state"),
            ),
            Metric(
                "rdc_workitems_overdue",
                _N,
                "Of these, how many are past their due time.",
                ("lane",),
            ),
            Metric(
                "rdc_quarantined_instances",
                _N,
                "Instances set aside that wait for a decision.",
            ),
            Metric(
                "rdc_studies_late",
                _N,
                "Studies that should have been complete an hour ago.",
            ),
            Metric(
                "rdc_turnaround_seconds",
                _H,
                "From an exam's arrival in the worklist until its report was issued, by lane.",
                ("lane",),
                _WORK,
            ),
            Metric(
                "rdc_arrival_to_worklist_seconds",
                _H,
                "From the last instance received until the exam was in the worklist, by lane;"
                " quiet time is in it.",
                ("lane",),
                _WAITS,
            ),
            Metric(
                "rdc_signatures_total",
                _C,
                "Signatures asked for, by result: signed or refused.",
                ("result",),
            ),
            # The way back
            Metric(
                "rdc_deliveries",
                _N,
                "Reports on their way to sites, by kind of destination and state.",
                ("kind", "state"),
            ),
            Metric(
                "rdc_delivery_oldest_timestamp_seconds",
                _N,
                "When the oldest report that has not arrived was issued, by kind; 0: none.",
                ("kind",),
            ),
            Metric(
                "rdc_delivery_attempts_total",
                _C,
                "Attempts to deliver, by kind of destination and outcome.",
                ("kind", "outcome"),
            ),
            # Underneath
            Metric(
                "rdc_audit_unsealed_timestamp_seconds",
                _N,
                "When the oldest audit record without a seal was written; 0: all are sealed.",
            ),
            Metric(
                "rdc_http_request_seconds",
                _H,
                "Requests over HTTP until their answer began, by method, route template and"
                " status.",
                ("method", "route", "status"),
                _SHORT,
            ),
            Metric(
                "rdc_database_connections_in_use",
                _L,
                "Connections to PostgreSQL that are working now.",
            ),
            Metric(
                "rdc_database_connect_errors_total",
                _C,
                "Connections that were found dead, or could not be had in time.",
            ),
            Metric(
                "rdc_standby_reads_total",
                _C,
                "Reads that may be answered by the standby of the database, by the server that"
                " answered (standby, primary) and how the standby was: fit, behind, away, foreign.",
                ("server", "state"),
            ),
            Metric(
                "rdc_standby_lag_seconds",
                _N,
                "For how long the standby has not known something that the primary knows.",
            ),
            Metric("rdc_standby_fit", _N, "Whether reads are sent to the standby now: 1 or 0."),
            Metric(
                "rdc_object_store_errors_total",
                _C,
                "Times that the object store could not do what it was asked.",
            ),
            Metric(
                "rdc_gathered_timestamp_seconds",
                _N,
                "When the relay last looked at the database for the gauges above.",
            ),
        )
    }
)
"""By name."""


def describe() -> str:
    """Return the table of the page of metrics, in Markdown."""
    rows = [
        f"| `{one.name}` | {one.kind.value} |"
        f" {', '.join(f'`{label}`' for label in one.labels) or '–'} | {one.meaning} |"
        for one in METRICS.values()
    ]
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows])
