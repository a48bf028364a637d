# SPDX-License-Identifier: GPL-3.0-or-later
"""
deploy/kubernetes and deploy/helm: every object decodes strictly into the type of the Kubernetes API, both ways make the same objects,
their parts fit each other, and zonefand accepts the configuration that they mount (O4).
"""
import os
import re
import shutil
import subprocess

import pytest
import yaml

# overlay: the releases and values of Helm that make the same.
SAME = {
    "single": [("zonefan",)],
    "multi-dc": [("zonefan", "multi-dc.yaml")],
    "two-nodes": [("zonefan-a", "two-nodes-a.yaml"), ("zonefan-b", "two-nodes-b.yaml")],
}


def kubernetes(root, *parts):
    return os.path.join(root, "deploy", "kubernetes", *parts)


def chart(root):
    return os.path.join(root, "deploy", "helm")


def comments(path):
    with open(path, encoding="utf-8") as file:
        return "".join(line for line in file if line.startswith("#"))


def plain(found):
    """Without what means nothing: the order of volumes, the layout of app.yml."""
    for item in found:
        for container in pod(item)["containers"] if item["kind"] == "StatefulSet" else []:
            container["volumeMounts"].sort(key=lambda mount: mount["mountPath"])
        if item["kind"] == "StatefulSet":
            pod(item)["volumes"].sort(key=lambda volume: volume["name"])
        if item["kind"] == "ConfigMap":
            item["data"]["app.yml"] = yaml.safe_load(item["data"]["app.yml"])
    return {(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]): item for item in found}


def pod(stateful_set):
    return stateful_set["spec"]["template"]["spec"]


def only(found, kind):
    return [item for item in found if item["kind"] == kind]


@pytest.mark.parametrize("overlay", SAME)
def test_helm_and_kustomize_make_the_same_objects(root, objects, overlay):
    by_kustomize = plain(objects("kustomize", kubernetes(root, "overlays", overlay)))
    by_helm = {}
    for release, *values in SAME[overlay]:
        files = [os.path.join(chart(root), "examples", name) for name in values]
        by_helm.update(plain(objects("helm", chart(root), release, *files)))
    assert by_helm.keys() == by_kustomize.keys()
    for name, item in by_kustomize.items():
        assert by_helm[name] == item, name


def test_every_overlay_is_compared(root):
    assert set(SAME) == set(os.listdir(kubernetes(root, "overlays")))


@pytest.mark.parametrize("wrong, told", [
    ("          livenesProbe: {}\n", "livenesProbe"),
    ("        image: 7\n        image: x\n", "image"),
    ("        stdin: 3\n", "stdin"),
])
def test_a_field_that_the_api_does_not_know_is_refused(root, objects, tmp_path, wrong, told):
    """So that the others mean something."""
    copy = tmp_path / "kubernetes"
    shutil.copytree(kubernetes(root), copy)
    path = copy / "base" / "statefulset.yaml"
    text = path.read_text()
    at = "        imagePullPolicy: IfNotPresent\n"
    assert at in text
    path.write_text(text.replace(at, at + wrong.replace("          liv", "        liv")))
    assert told in objects("kustomize", str(copy / "overlays" / "single"), refused=True)


def test_values_that_the_chart_does_not_know_are_refused(root, objects, tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("persistance:\n  size: 1Gi\n")
    assert "persistance" in objects("helm", chart(root), "zonefan", str(values), refused=True)


@pytest.fixture(params=SAME)
def found(root, objects, request):
    return objects("kustomize", kubernetes(root, "overlays", request.param))


def selects(selector, labels):
    return selector and all(labels.get(key) == value for key, value in selector.items())


def test_selectors_find_their_pods(found):
    pods = {item["metadata"]["name"]: item["spec"]["template"]["metadata"]["labels"] for item in only(found, "StatefulSet")}
    for item in only(found, "StatefulSet"):
        wanted = item["spec"]["selector"]["matchLabels"]
        assert [name for name, labels in pods.items() if selects(wanted, labels)] == [item["metadata"]["name"]]
        assert item["spec"]["serviceName"] in [service["metadata"]["name"] for service in only(found, "Service")]
        assert item["spec"]["replicas"] == 1, "a store has one zonefand"
    for service in only(found, "Service"):
        chosen = [name for name, labels in pods.items() if selects(service["spec"]["selector"], labels)]
        assert chosen == [service["metadata"]["name"].removeprefix("internal-")]
    guards = [guard["spec"] for guard in only(found, "PodDisruptionBudget")]
    for labels in pods.values():
        assert sum(bool(selects(guard["selector"]["matchLabels"], labels)) for guard in guards) == 1, "with two it cannot be evicted"
        assert any(selects(policy["spec"]["podSelector"]["matchLabels"], labels) for policy in only(found, "NetworkPolicy"))
    assert all(guard["maxUnavailable"] == 1 for guard in guards)
    for monitor in only(found, "ServiceMonitor"):
        assert any(selects(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"]) for service in only(found, "Service"))


def test_the_alerts_are_those_of_prometheus(root, objects):
    with open(os.path.join(root, "deploy", "prometheus", "zonefan.rules.yml"), encoding="utf-8") as rules:
        expected = yaml.safe_load(rules)
    made = only(objects("kustomize", kubernetes(root, "overlays", "multi-dc")), "PrometheusRule")
    assert [item["spec"] for item in made] == [expected]


def test_the_pods_are_as_restricted_as_they_can_be(found):
    for item in only(found, "StatefulSet"):
        spec, container = pod(item), pod(item)["containers"][0]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
        assert spec["enableServiceLinks"] is False and spec["automountServiceAccountToken"] is False
        assert spec["terminationGracePeriodSeconds"] >= 15
        assert set(container["resources"]) == {"requests", "limits"} and container["resources"]["limits"]["memory"]
        # Neither node of two on the machine of the other, whatever their instances are called.
        rules = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert rules[0]["podAffinityTerm"]["labelSelector"]["matchLabels"] == {"app.kubernetes.io/name": "zonefan"}
    outside = [service for service in only(found, "Service") if service["spec"].get("type") == "LoadBalancer"]
    assert outside and all(service["spec"]["externalTrafficPolicy"] == "Local" for service in outside)


def test_ports_and_volumes_have_their_other_end(found):
    for item in only(found, "StatefulSet"):
        container = pod(item)["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz", "no pushes that could not be made durable"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "no restart because data centres are down"
        volumes = {volume["name"] for volume in pod(item)["volumes"]} | {
            claim["metadata"]["name"] for claim in item["spec"]["volumeClaimTemplates"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
        assert writable == {"/var/lib/zonefan", "/run/zonefan"}
        configured = next(entry for entry in only(found, "ConfigMap") if entry["metadata"]["name"] == item["metadata"]["name"])
        assert yaml.safe_load(configured["data"]["app.yml"])["app"]["listen_port"] == ports["http"]


@pytest.mark.parametrize("overlay", SAME)
def test_every_file_of_the_secret_is_named(root, overlay):
    """Nobody makes the Secret but who reads these words: with a file less zonefand does not start."""
    words = ""
    configurations = [kubernetes(root, "base", "app.yml")]
    for folder, _, files in os.walk(kubernetes(root, "overlays", overlay)):
        configurations += [os.path.join(folder, name) for name in files if name == "app.yml"]
        words += "".join(comments(os.path.join(folder, name)) for name in files if name == "kustomization.yaml")
    words += comments(kubernetes(root, "base", "kustomization.yaml"))
    for path in configurations:
        with open(path, encoding="utf-8") as file:
            wanted = set(re.findall("/run/secrets/zonefan/(.*)", file.read()))
        assert wanted and wanted <= set(re.findall(r"\w+", words)), (path, wanted)


def test_zonefand_accepts_the_configuration_that_is_mounted(found, tmp_path):
    """Its folders are the test's."""
    for item in only(found, "StatefulSet"):
        name = item["metadata"]["name"]
        config = next(entry for entry in only(found, "ConfigMap") if entry["metadata"]["name"] == name)["data"]["app.yml"]
        here = tmp_path / name
        for inside in ("/var/lib/zonefan", "/run/zonefan", "/run/secrets/zonefan", "/etc/database-ca"):
            (here / inside[1:]).mkdir(parents=True)
            config = config.replace(inside + "/", f"{here}{inside}/")
        (here / "etc/database-ca/ca.pem").write_text("any")
        for secret in re.findall(f"{here}/run/secrets/zonefan/.*", config):
            with open(secret, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write("canary-kubernetes\n")
        (here / "app.yml").write_text(config)
        done = subprocess.run([os.path.join(os.environ["ZONEFAN_BIN_DIR"], "zonefand"), "--config", here / "app.yml", "--check"],
                              env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "level=error" not in done.stderr and "notice" not in done.stderr.replace("port", ""), done.stderr
