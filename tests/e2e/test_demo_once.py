"""`rdc demo --once`: the whole road by itself, measured and verified."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.processes import tied
from tests.e2e.system import ROOT


@pytest.mark.slow
def test_the_whole_road_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        tied([sys.executable, "-P", "-m", "deploy.cli", "demo", "--once"]),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
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
