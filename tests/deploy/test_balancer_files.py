"""The balancer's files, what listens behind them, and what runs both name the same ports."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # pyright: ignore[reportMissingModuleSource] -- it has no types

from deploy.settings import Settings
from deploy.tls.authority import PrivateAuthority
from tests.deploy.test_deployment_files import DEPLOY, KUBERNETES, PORTS, WORKLOADS, compose, ours
from tests.support.peers import find_program, require_program

BALANCER: Final = DEPLOY / "balancer"
SECURED: Final = {
    "dicom-tls": Settings.model_fields["dicom_tls_port"].default,
    "mllp-tls": Settings.model_fields["mllp_tls_port"].default,
}
_yaml: Any = yaml


def test_the_balancer_listens_where_the_settings_say() -> None:
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
        # Not required of CI: Debian's own package is too old to know components.
        message = "files for Kubernetes: kubectl 1.21 or newer is not installed"
        sys.stderr.write(f"\nNOT TESTED: {message}\n")
        pytest.skip(message)
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
    # By the folder, as Compose and Debian's unit have it read.
    folder = tmp_path / "balancer"
    folder.mkdir()
    for one in files:
        shutil.copy(one, folder)
    told = dict.fromkeys(variables(*files), "10.0.0.1:1")
    told |= {"PEOPLE_PORT": "443", "PLAIN_PORT": "80", "PEOPLE_PEM": str(pem)}
    done = subprocess.run(
        [haproxy, "-c", "-f", folder],
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
