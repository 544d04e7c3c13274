"""The files for Compose, systemd and Kubernetes name what there is: commands, settings, ports."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml  # pyright: ignore[reportMissingModuleSource] -- it has no types

from deploy.celery_app import QUEUES
from deploy.cli import app
from deploy.settings import PREFIX, Settings, load
from tests.support.peers import find_program

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"
SYSTEMD: Final = DEPLOY / "systemd"
ROLES: Final = {"gateway", "ecg-intake", "hl7", "relay", "worker", "web", "migrate"}
PORTS: Final = {
    "dicom": Settings.model_fields["dicom_port"].default,
    "mllp": Settings.model_fields["mllp_port"].default,
    "http": Settings.model_fields["http_port"].default,
}
WORKLOADS: Final = {"Deployment", "StatefulSet", "Job"}
_EXPOSURE: Final = 20
"""Of systemd's 100 points, the fewer the better."""
_yaml: Any = yaml


def compose(name: str = "compose") -> dict[str, Any]:
    return _yaml.safe_load((DEPLOY / "compose" / f"{name}.yaml").read_text(encoding="utf-8"))


def ours() -> dict[str, dict[str, Any]]:
    """The services of Compose that run our image."""
    return {name: one for name, one in compose()["services"].items() if one.get("image") == "rdc"}


def manifests() -> list[dict[str, Any]]:
    return [
        document
        for path in sorted(KUBERNETES.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for document in _yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def workloads() -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] in WORKLOADS]


def containers() -> Iterator[dict[str, Any]]:
    for one in workloads():
        yield from one["spec"]["template"]["spec"]["containers"]


def units() -> Iterator[list[str]]:
    """The words after `rdc` of every unit, an instance of each queue for workers."""
    for path in sorted(SYSTEMD.glob("*.service")):
        [line] = re.findall(r"^ExecStart=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        program, *words = shlex.split(line)
        assert program == "/opt/rdc/.venv/bin/rdc"
        for queue in QUEUES if "%i" in line else ("",):
            yield [word.replace("%i", queue) for word in words]


def see_command(words: Sequence[str]) -> None:
    """See that `rdc` has such a command with such options, without running it."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("rdc", list(words), resilient_parsing=True)
    name, command, rest = group.resolve_command(context, list(words))
    command.make_context(name, rest)


def queues(words: Sequence[str]) -> set[str]:
    found = {words[at + 1] for at, word in enumerate(words) if word == "--queue"}
    assert found <= set(QUEUES)
    return found


COMMANDS: Final[Mapping[str, list[list[str]]]] = {
    "compose": [one["command"] for one in ours().values()],
    "systemd": list(units()),
    "kubernetes": [one["args"] for one in containers()],
}


@pytest.mark.parametrize("commands", COMMANDS.values(), ids=COMMANDS)
def test_every_process_is_there_with_commands_that_exist(commands: list[list[str]]) -> None:
    for words in commands:
        see_command(words)
    assert {words[0] for words in commands} == ROLES
    assert set[str]().union(*map(queues, commands)) == set(QUEUES)


def test_every_setting_that_is_named_is_one() -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    folders = ("compose", "systemd", "kubernetes", "balancer", "docs/distributed.md")
    for folder in folders:
        place = DEPLOY / folder
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file():
                named = set(re.findall(r"\bRDC_[A-Z_]+[A-Z]\b", path.read_text(encoding="utf-8")))
                assert named <= known, (path, named - known)


@pytest.mark.parametrize(
    "environment",
    [
        compose()["x-process"]["environment"],
        next(one["data"] for one in manifests() if one["kind"] == "ConfigMap"),
        dict(
            line.replace("BALANCER/32", "10.0.0.1/32").split("=", 1)
            for line in (SYSTEMD / "rdc.env.example").read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ),
    ],
    ids=["compose", "kubernetes", "systemd"],
)
def test_the_values_of_settings_can_be_used(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        # Compose puts secrets and the public address in.
        monkeypatch.setenv(name, re.sub(r"\$\{RDC_PUBLIC_URL.*\}", "https://x", value))
    assert load().http_host == "0.0.0.0"


def test_ports_are_those_that_are_listened_on() -> None:
    for container in containers():
        for port in container.get("ports", ()):
            assert PORTS[port["name"]] == port["containerPort"]
    for one in manifests():
        if one["kind"] == "Service":
            assert all(PORTS[port["name"]] == port["port"] for port in one["spec"]["ports"])


def test_images_name_no_registry() -> None:
    images = [one["image"] for one in compose()["services"].values()]
    images += [one["image"] for one in containers()]
    assert all("." not in image.partition("/")[0].partition(":")[0] for image in images)


def test_the_stores_nodes_differ_in_their_names_alone() -> None:
    nodes = {name: one for name, one in compose()["services"].items() if name.startswith("store-")}
    said = {
        name: {word.replace(f"-ip={name}", "-ip=") for word in one["command"][1:]}
        for name, one in nodes.items()
    }
    assert len(said) == 3
    assert len({frozenset(words) for words in said.values()}) == 1
    # A comma in a flow list would have made words of their own of the peers.
    assert all(word.startswith("-") for words in said.values() for word in words)


def test_no_two_gateways_share_a_spool() -> None:
    spools = [one["volumes"] for one in ours().values() if one["command"] == ["gateway"]]
    assert len(spools) == 2
    assert len({volume for one in spools for volume in one}) == 2
    [gateway] = [one for one in manifests() if one["kind"] == "StatefulSet"]
    assert gateway["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data"
    assert gateway["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_who_signs_has_the_keys_and_nobody_else() -> None:
    signing = {"web", "worker-analysis", "migrate"}
    having = {
        one["name"]
        for one in containers()
        if any(mount["name"] == "authority" for mount in one["volumeMounts"])
    }
    assert having == signing
    for name, one in ours().items():
        has = "authority:/var/lib/rdc-authority" in one.get("volumes", ())
        words = one["command"]
        assert has or not (words[0] in signing or "analysis" in words), name


def test_pods_are_restricted_and_bounded() -> None:
    for one in workloads():
        pod = one["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert pod["terminationGracePeriodSeconds"] >= 30
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"]
            assert not security["allowPrivilegeEscalation"]
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert "env" not in container, "secrets come by reference"


def test_nothing_that_stands_twice_is_taken_away_at_once() -> None:
    guarded = {
        one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in manifests()
        if one["kind"] == "PodDisruptionBudget"
    }
    running = {one["metadata"]["name"] for one in workloads() if one["kind"] != "Job"}
    assert guarded == running
    for one in workloads():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == one["metadata"]["name"]


def test_kustomize_takes_every_file() -> None:
    listed = _yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == there


def test_secrets_are_made_anew_each_time() -> None:
    made = [
        subprocess.run(
            [DEPLOY / "compose" / "make-secrets.sh"], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    first, second = (dict(line.split("=", 1) for line in one.splitlines()) for one in made)
    needed = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose/compose.yaml").read_text()))
    assert needed == set(first)
    assert all(
        first[name] != second[name] and len(first[name]) == 48
        for name in needed - {"RDC_PUBLIC_URL"}
    )


def test_systemd_takes_the_units_and_finds_them_closed(tmp_path: Path) -> None:
    analyse = find_program("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not here")
    here = tmp_path / "etc/systemd/system"
    shutil.copytree(SYSTEMD, here)
    # What every unit waits for by itself.
    for target in ("sysinit.target", "basic.target", "shutdown.target", "network-online.target"):
        (here / target).write_text("[Unit]\nDescription=x\n")
    program = tmp_path / "opt/rdc/.venv/bin/rdc"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    names = [path.name.replace("@", "@messages") for path in sorted(SYSTEMD.glob("*.service"))]
    seen = subprocess.run(
        [analyse, "verify", f"--root={tmp_path}", *names],
        check=False,
        capture_output=True,
        text=True,
    )
    assert [line for line in seen.stderr.splitlines() if "rdc" in line] == []
    closed = subprocess.run(
        [
            *(analyse, "security", f"--root={tmp_path}", "--offline=yes"),
            *(f"--threshold={_EXPOSURE}", "--json=short", *names),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert closed.returncode == 0, json.loads(closed.stdout)
