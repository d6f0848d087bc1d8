"""The manifests of deploy/ parse and use only flags that exist; the chart follows the plain manifest."""

import json
import re
from typing import Any

import pytest
import yaml

from tools.checks.tree import ROOT

CHART = ROOT / "deploy" / "helm" / "decision-sidecar"
# The flags that are configuration by name: docs/configuration.md has them all.
FLAGS = {
    "--config",
    "--data-dir",
    "--datafile",
    "--grpc-listen",
    "--http-listen",
    "--sdk-key",
    "--stop-delay",
    "--tls-cert",
    "--tls-client-ca",
    "--tls-key",
    "--token-file",
    "--transport",
}


@pytest.fixture
def manifests() -> dict[str, Any]:
    text = (ROOT / "deploy" / "kubernetes" / "sidecar.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


@pytest.fixture
def pod(manifests: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (sidecar,) = pod["initContainers"]
    assert isinstance(sidecar, dict)
    return sidecar


@pytest.fixture(scope="module")
def templates() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(CHART.glob("templates/*")))


def test_the_sidecar_is_a_native_one(container: dict[str, Any]) -> None:
    assert container["restartPolicy"] == "Always"


def test_the_manifest_uses_flags_that_exist(container: dict[str, Any]) -> None:
    command, *flags = container["args"]

    assert command == "serve"
    assert {flag.partition("=")[0] for flag in flags} <= FLAGS


def test_the_chart_uses_flags_that_exist(templates: str) -> None:
    flags = set(re.findall(r"^ +- (--[a-z-]+)=", templates, re.MULTILINE))

    assert "--grpc-listen" in flags
    assert flags <= FLAGS


def test_the_socket_is_on_a_volume_that_both_containers_mount(pod: dict[str, Any], container: dict[str, Any]) -> None:
    (application,) = pod["containers"]
    mounts = [
        {mount["name"]: mount["mountPath"] for mount in each["volumeMounts"]} for each in (container, application)
    ]

    assert mounts[0]["socket"] == mounts[1]["socket"]
    assert f"--grpc-listen=unix:{mounts[0]['socket']}/sidecar.sock" in container["args"]


def test_every_mount_has_its_volume(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_datafile_is_mounted_whole_so_that_a_changed_one_arrives(container: dict[str, Any]) -> None:
    assert not any("subPath" in mount for mount in container["volumeMounts"])


def test_the_datafile_of_the_manifest_is_json(manifests: dict[str, Any]) -> None:
    assert json.loads(manifests["ConfigMap"]["data"]["datafile.json"])["version"] == "4"


def test_the_sidecar_runs_without_root_on_a_read_only_root(container: dict[str, Any]) -> None:
    security = container["securityContext"]

    assert security["runAsUser"] > 0
    assert security["readOnlyRootFilesystem"]
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_pod_outlives_the_stop_delay(pod: dict[str, Any], container: dict[str, Any]) -> None:
    (delay,) = [flag for flag in container["args"] if flag.startswith("--stop-delay=")]

    assert int(delay.partition("=")[2].removesuffix("s")) < pod["terminationGracePeriodSeconds"]


def test_the_chart_names_only_values_that_it_declares(templates: str) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    for path in set(re.findall(r"\.Values\.([\w.]+)", templates)):
        node: Any = values
        for key in path.split("."):
            assert key in node, path
            node = node[key]


def test_the_chart_has_the_probes_of_the_manifest(templates: str, container: dict[str, Any]) -> None:
    in_chart = set(re.findall(r"path: (/\w+z)", templates))

    assert in_chart == {
        container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
