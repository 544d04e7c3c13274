"""Alert rules and dashboards name metrics that exist, with labels that they have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from storage.metering.exposition import exposition
from storage.metering.table import METRICS

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RUNBOOK = (ROOT / "deploy" / "docs" / "runbook.md").read_text(encoding="utf-8")
NAME = re.compile(r"\brdc_[a-z_]+\b(?:\{([^}]*)\})?")
SUFFIXES = ("_bucket", "_count", "_sum")


def rules() -> list[dict[str, Any]]:
    kept = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in kept["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    board = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in cast("list[dict[str, str]]", panel.get("targets", [])):
            yield target["expr"]


def test_every_expression_asks_for_what_a_scrape_shows(tmp_path: Path) -> None:
    shown = set(re.findall(r"^# TYPE (\S+)", exposition(tmp_path).decode(), re.MULTILINE))
    for expression in expressions():
        for found in NAME.finditer(expression):
            name = found.group(0).partition("{")[0]
            bare = next((name.removesuffix(one) for one in SUFFIXES if name.endswith(one)), name)
            family = name if name in shown else bare
            assert family in shown, expression
            labels = re.findall(r"([a-z_]+)[=!]", found.group(1) or "")
            assert set(labels) <= {*METRICS[family].labels, "instance", "job"}, expression


def test_every_metric_is_on_the_dashboard() -> None:
    board = (MONITORING / "dashboard.json").read_text(encoding="utf-8")
    assert [name for name in METRICS if name not in board] == []


def test_every_alert_is_told_in_both_languages_and_stands_in_the_runbook() -> None:
    for rule in rules():
        words = rule["annotations"]
        assert words["summary"].endswith((".", "?")), rule["alert"]
        assert re.search("[\u4e00-\u9fff]", words["summary_zh"]), rule["alert"]
        assert words["runbook_url"].endswith("runbook.md#alarms")
        assert f"| {rule['alert']} |" in RUNBOOK


def test_prometheus_takes_the_rules() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        done = subprocess.run(
            [program, "check", what, file],
            cwd=MONITORING,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
