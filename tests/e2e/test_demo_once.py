"""`rdc demo --once`: the whole road by itself, measured and verified."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.processes import tied
from tests.e2e.system import ROOT
from tests.support.collector import Collector, collector
from tests.support.secrecy import leaked, logs_of

# What each study passes through, by whichever process.
WALK = {
    "receive",
    "file",
    "complete",
    "handle study.received",
    "wait",
    "read",
    "issue",
    "walk",
    "handle report.issued",
    "deliver",
}

OF_PATIENTS = ("OuYang^JianGuo", "OuYang", "欧阳", "DH20261121", "DH000017", "CompressedSamples")
"""Names and numbers in what the demonstration sends."""


def assert_one_trace_for_each_study(collecting: Collector, studies: int) -> None:
    """Every study's whole walk is in one trace, below one root, from several processes."""
    traces = collecting.names_by_trace()
    assert len(traces) == studies
    for names in traces.values():
        assert names >= WALK
    for trace in traces:
        spans = [one for one in collecting.spans if one["traceId"] == trace]
        [root] = [one for one in spans if not one["parentSpanId"]]
        assert {one["parentSpanId"] for one in spans if one is not root} == {root["spanId"]}
        assert len({one["process"] for one in spans}) >= 4


@pytest.mark.slow
def test_the_whole_road_by_itself(tmp_path: Path) -> None:
    with collector() as collecting:
        done = subprocess.run(
            tied([sys.executable, "-P", "-m", "deploy.cli", "demo", "--once"]),
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
                "RDC_OTLP_URL": collecting.url,
                "RDC_LOG_DIR": str(tmp_path / "log"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    outcome = json.loads(done.stdout)
    assert outcome["ok"] is True
    assert {exam["kind"] for exam in outcome["exams"]} == {"ct", "mr", "us", "cr", "ecg"}
    assert {exam["site"] for exam in outcome["exams"]} == {"donghe", "xiling"}
    assert max(exam["instances_sent"] for exam in outcome["exams"]) == 120
    for exam in outcome["exams"]:
        assert exam["ok"], exam
        assert exam["instances_stored"] == exam["instances_sent"]
        assert exam["signatures"]["verdict"] == "valid"
        assert len(set(exam["signatures"]["signers"])) == 2
        assert set(exam["seconds"]) == {
            "sent",
            "stored",
            "queued",
            "claimed",
            "finalised",
            "delivered",
            "opened",
        }
    assert_one_trace_for_each_study(collecting, len(outcome["exams"]))
    said = logs_of(tmp_path / "log")
    assert len(said) > 5, "every process of ours says something"
    said |= {"traces": json.dumps(collecting.spans).encode(), "progress": done.stderr.encode()}
    assert leaked(OF_PATIENTS, said) == {}
