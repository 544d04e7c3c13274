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
from deploy.tls.authority import PrivateAuthority
from tests.support.peers import find_program, require_program

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
KUBERNETES: Final = DEPLOY / "kubernetes"
SYSTEMD: Final = DEPLOY / "systemd"
ROLES: Final = {"gateway", "ecg-intake", "hl7", "relay", "worker", "web", "migrate"}
PORTS: Final = {
    "dicom": Settings.model_fields["dicom_port"].default,
    "mllp": Settings.model_fields["mllp_port"].default,
    "http": Settings.model_fields["http_port"].default,
}
SECURED: Final = {
    "dicom-tls": Settings.model_fields["dicom_tls_port"].default,
    "mllp-tls": Settings.model_fields["mllp_tls_port"].default,
}
BALANCER: Final = DEPLOY / "balancer"
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
    assert bound("haproxy") == {*PORTS.values(), 8333}
    assert published("compose") == set(PORTS.values())
    assert bound("sites-tls") == published("sites-tls") == set(SECURED.values())


def bound(name: str) -> set[int]:
    """The ports of one of the balancer's files."""
    config = (BALANCER / f"{name}.cfg").read_text(encoding="utf-8")
    return set(map(int, re.findall(r"^    bind :(\d+)", config, re.MULTILINE)))


def published(name: str) -> set[int]:
    """The balancer's ports that one of the files for Compose publishes."""
    ports = compose(name)["services"]["front"]["ports"]
    return {int(one.rpartition(":")[2]) for one in ports}


def sections(name: str) -> dict[str, list[str]]:
    """The lines of each `listen` of one of the balancer's files, without comments."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (BALANCER / f"{name}.cfg").read_text(encoding="utf-8").splitlines():
        if line.startswith("listen "):
            lines = found.setdefault(line.split()[1], [])
        elif line.strip() and not line.strip().startswith(("#", "bind ")):
            lines.append(line.strip().replace("_TLS_", "_"))
    return found


def test_what_comes_with_tls_is_balanced_as_what_comes_without() -> None:
    plain, secured = sections("haproxy"), sections("sites-tls")
    assert secured == {"dicom-tls": plain["dicom"], "hl7-tls": plain["hl7"]}


def test_composes_balancer_reads_every_file_that_is_put_beside_its_own() -> None:
    folder = "/usr/local/etc/haproxy"
    for name in ("https", "sites-tls"):
        front = compose(name)["services"]["front"]
        # Whichever of the files comes last says the command.
        assert front["command"] == ["haproxy", "-f", folder]
        mounted = dict(one.removesuffix(":ro").split(":", 1) for one in front["volumes"])
        [config] = [one for one in mounted if one.endswith(".cfg")]
        assert mounted[config] == f"{folder}/{Path(config).name}"
        path = DEPLOY / "compose" / config
        assert set(front["environment"]) >= set(variables(path)) - set(
            compose()["services"]["front"]["environment"]
        )


def test_the_same_processes_listen_for_tls_whatever_runs_them(tmp_path: Path) -> None:
    services = compose("sites-tls")["services"]
    said = services.pop("front")["environment"]
    ports = {"gateway": SECURED["dicom-tls"], "hl7": SECURED["mllp-tls"]}
    assert set(said.values()) == {f"{name}:{ports[name[:-2]]}" for name in services}
    assert set(services) == {
        name for name, one in ours().items() if one["command"] in (["gateway"], ["hl7"])
    }
    built = with_component(tmp_path, "sites-tls")
    known = PORTS | SECURED
    opened: dict[str, set[str]] = {}
    for one in built:
        name, spec = one["metadata"]["name"], one.get("spec", {})
        if one["kind"] == "Service":
            assert all(known[port["name"]] == port["port"] for port in spec["ports"])
            opened[name] = {port["name"] for port in spec["ports"]}
        elif one["kind"] == "NetworkPolicy" and name in opened:
            [rule] = spec["ingress"]
            assert {port["port"] for port in rule["ports"]} == opened[name]
        elif one["kind"] in WORKLOADS:
            [container] = spec["template"]["spec"]["containers"]
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
            assert ports.items() <= known.items()
            if f"{container['name']}-1" not in services:
                assert not ports.keys() & SECURED.keys()
                continue
            # What it had without the component, it has with it.
            assert {one.removesuffix("-tls") for one in ports} < ports.keys()
            assert container["envFrom"]
            settings = {one["name"]: one["value"] for one in container["env"]}
            assert set(settings) == set(services[f"{container['name']}-1"]["environment"])
            [mount] = [one for one in container["volumeMounts"] if one["name"] == "sites-tls"]
            assert all(file.startswith(f"{mount['mountPath']}/") for file in settings.values())
    assert opened["rdc-dicom"] == {"dicom", "dicom-tls"}
    assert opened["rdc-hl7"] == {"mllp", "mllp-tls"}


def with_component(folder: Path, name: str) -> list[dict[str, Any]]:
    """What an overlay makes of the files for Kubernetes and one of their components."""
    kubectl = find_program("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not here")
    shutil.copytree(KUBERNETES, folder / "kubernetes")
    overlay = folder / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f"resources: [../kubernetes]\ncomponents: [../kubernetes/{name}]\n", encoding="ascii"
    )
    made = subprocess.run(
        [kubectl, "kustomize", overlay], check=True, capture_output=True, text=True
    )
    # Services before the rules that let callers through to them.
    return sorted(_yaml.safe_load_all(made.stdout), key=lambda one: one["kind"] != "Service")


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


def variables(*files: Path) -> list[str]:
    """Those that a balancer's files take from its environment."""
    return re.findall(r'":?\$\{(\w+)\}"', "".join(map(Path.read_text, files)))


def test_the_balancers_files_are_valid_together(tmp_path: Path) -> None:
    haproxy = require_program("haproxy", package="haproxy")
    files = [BALANCER / f"{name}.cfg" for name in ("haproxy", "people", "sites-tls")]
    private = PrivateAuthority(tmp_path)
    private.make("county")
    issued = private.issue("front", hosts=("front.county",))
    pem = tmp_path / "front.pem"
    pem.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    told = dict.fromkeys(variables(*files), "10.0.0.1:1")
    told |= {"PEOPLE_PORT": "443", "PLAIN_PORT": "80", "PEOPLE_PEM": str(pem)}
    done = subprocess.run(
        [haproxy, "-c", *(part for one in files for part in ("-f", one))],
        env=told,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_balancers_example_names_what_its_files_take() -> None:
    example = (BALANCER / "balancer.env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z0-9]+_\w+)=", example, re.MULTILINE))
    assert named == set(variables(*BALANCER.glob("*.cfg")))


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
