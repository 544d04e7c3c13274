"""The whole road without a person at the browser: what `rdc demo --once` does and measures."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from deploy.demo.consortium import DemoPerson
from deploy.demo.exams import DemoExam
from deploy.demo.people import DemoClient
from deploy.errors import DeployError
from pacs_gateway.site_machines import Sent, SitePacs, pdf_of, send
from reading_worklist.signing.verdicts import Verdict
from reading_worklist.signing.verification import verify

_T = TypeVar("_T")
Say = Callable[[str], None]

STEP_TIMEOUT: Final = 120.0
_LOOK_SECONDS: Final = 0.1


class DemoTimedOut(DeployError):
    """A step of the road did not happen in time."""


@dataclass(frozen=True, slots=True)
class Road:
    """Where the walk happens.

    quiet_seconds: after which silence a study counts as complete.
    anchors: PEM certificates whose signatures count.
    pacs: the sites' receiving machines by site code.
    """

    web: str
    dicom_host: str
    dicom_port: int
    ae_title: str
    quiet_seconds: float
    anchors: tuple[str, ...]
    pacs: Mapping[str, SitePacs]
    people: Mapping[str, DemoPerson]


def send_exams(road: Road, exams: Sequence[DemoExam], say: Say) -> dict[str, Sent]:
    """Send every exam from its site's modality, the sites at the same time; return by study."""

    def of_site(code: str) -> dict[str, Sent]:
        sent: dict[str, Sent] = {}
        for exam in exams:
            if exam.site.code == code:
                sent[exam.study_instance_uid] = send(
                    road.dicom_host,
                    road.dicom_port,
                    called=road.ae_title,
                    calling=exam.site.modality_ae,
                    files=exam.files,
                )
                say(f"{exam.site.modality_ae} sent {len(exam.files)} {exam.kind.upper()} instances")
        return sent

    codes = sorted({exam.site.code for exam in exams})
    with ThreadPoolExecutor(len(codes)) as pool:
        return {uid: sent for part in pool.map(of_site, codes) for uid, sent in part.items()}


def walk(road: Road, exams: Sequence[DemoExam], say: Say) -> dict[str, Any]:
    """Send, read, sign, deliver, open and verify every exam; return what was measured.

    Raises:
        DemoTimedOut: a step did not happen in time.
        SendFailed, DemoRefused: a peer refused.
    """
    sent = send_exams(road, exams, say)
    with ExitStack() as signed_in:
        people = {
            login: signed_in.enter_context(DemoClient(road.web, road.people[login]))
            for login in ("li.shu", "wang.shen", "sun.dong", "qian.xi")
        }
        writer, reviewer = people["li.shu"], people["wang.shen"]
        site_doctors = {
            people[login].person.organisation: people[login] for login in ("sun.dong", "qian.xi")
        }
        items = _wait_for(
            "every study in the worklist",
            lambda: _all_queued(writer.workitems(), exams),
        )
        say(f"{len(items)} studies are in the worklist")
        for exam in exams:
            writer.write_report(items[exam.study_instance_uid]["id"], exam.kind)
        say(f"{writer.person.display_name} has written and signed {len(exams)} reports")
        for exam in exams:
            reviewer.review_report(items[exam.study_instance_uid]["id"])
        say(f"{reviewer.person.display_name} has reviewed and signed them")
        results = [
            _follow(
                road,
                exam,
                sent[exam.study_instance_uid],
                items[exam.study_instance_uid]["id"],
                reviewer=reviewer,
                site_doctor=site_doctors[exam.site.code],
            )
            for exam in exams
        ]
    return {"ok": bool(results) and all(one["ok"] for one in results), "exams": results}


def _follow(
    road: Road,
    exam: DemoExam,
    sent: Sent,
    workitem_id: str,
    *,
    reviewer: DemoClient,
    site_doctor: DemoClient,
) -> dict[str, Any]:
    """Wait for one report at its site, open and verify it there, and time every step."""
    uid = exam.study_instance_uid
    report = road.pacs[exam.site.code].report_of(uid, timeout=STEP_TIMEOUT)
    if report is None:
        raise DemoTimedOut(f"no report of study {uid} came to {exam.site.pacs_ae}")
    at_site = pdf_of(report)
    times = _wait_for(
        f"the delivery of {uid} is noted",
        lambda: _delivered(reviewer.get(f"/api/workitems/{workitem_id}/timeline")),
    )
    opened = site_doctor.get_bytes(f"/api/portal/exams/{workitem_id}/report")
    times = reviewer.get(f"/api/workitems/{workitem_id}/timeline")
    stored = reviewer.stored_instances(uid)
    quality = _wait_for(
        f"the volumes of {uid} are checked",
        lambda: _checked(site_doctor.get(f"/api/workitems/{workitem_id}/quality")),
    )
    verdict = verify(at_site, road.anchors)
    steps = _seconds(times, sent, road.quiet_seconds)
    digest = hashlib.sha256(at_site).hexdigest()
    checks = {
        "all_stored": stored == sent.instances,
        "both_signatures_valid": verdict.verdict is Verdict.VALID and len(verdict.signatures) == 2,  # noqa: PLR2004 -- writer and reviewer
        "same_report_at_site_and_portal": at_site == opened,
        "right_patient": str(report.StudyInstanceUID) == uid,
        "opened_recorded": times["opened_at"] is not None,
        "no_quality_notes": quality["state"] == "checked" and not quality["notes"],
    }
    return {
        "study_instance_uid": uid,
        "site": exam.site.code,
        "kind": exam.kind,
        "instances_sent": sent.instances,
        "instances_stored": stored,
        "seconds": steps,
        "report_sha256": digest,
        "signatures": {
            "verdict": verdict.verdict.value,
            "signers": [one.signer_name for one in verdict.signatures],
        },
        "checks": checks,
        "ok": all(checks.values()),
    }


def _seconds(times: Mapping[str, Any], sent: Sent, quiet: float) -> dict[str, float]:
    """Return how long each step took, from the one before.

    queued counts from the end of the quiet time after the last instance.
    """
    at = {
        key: datetime.fromisoformat(value) for key, value in times.items() if isinstance(value, str)
    }

    def between(first: str, second: str) -> float:
        return round((at[second] - at[first]).total_seconds(), 3)

    return {
        "sent": round(sent.seconds, 3),
        "stored": between("first_received_at", "last_received_at"),
        "queued": round(between("last_received_at", "queued_at") - quiet, 3),
        "claimed": between("queued_at", "claimed_at"),
        "finalised": between("claimed_at", "finalised_at"),
        "delivered": between("finalised_at", "delivered_at"),
        "opened": between("delivered_at", "opened_at"),
    }


def _all_queued(
    items: dict[str, dict[str, Any]], exams: Sequence[DemoExam]
) -> dict[str, dict[str, Any]] | None:
    complete = all(
        items.get(exam.study_instance_uid, {}).get("study", {}).get("instance_count")
        == len(exam.files)
        for exam in exams
    )
    return items if complete else None


def _delivered(times: dict[str, Any]) -> dict[str, Any] | None:
    return times if times["delivered_at"] else None


def _checked(quality: dict[str, Any]) -> dict[str, Any] | None:
    return None if quality["state"] == "pending" else quality


def _wait_for(what: str, look: Callable[[], _T | None]) -> _T:
    deadline = time.monotonic() + STEP_TIMEOUT
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise DemoTimedOut(f"waited {STEP_TIMEOUT:.0f} s in vain: {what}")
        time.sleep(_LOOK_SECONDS)
    return found
