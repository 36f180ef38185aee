"""The rules of this repository that a schema cannot say, one object at a time."""

import re

from . import documents

LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/part-of")
SPREAD = {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
LONG_RUNNING = ("Deployment", "StatefulSet", "DaemonSet")
ORDER = {
    "object": ["apiVersion", "kind", "metadata", "automountServiceAccountToken", "spec", "webhooks"],
    "metadata": ["name", "namespace", "labels", "annotations"],
    "container": ["name", "image", "imagePullPolicy", "command", "args", "env", "ports", "resources",
                  "startupProbe", "livenessProbe", "readinessProbe", "lifecycle", "securityContext",
                  "volumeMounts"],
}


def problems(item: dict) -> list:
    template = documents.pod_template(item)
    if template is None:
        return []
    found = []
    for container in _containers(template[1]):
        name = f"container {container['name']}"
        if not re.search(r"(@sha256:[0-9a-f]{64}|:[\w][\w.-]*)$", container.get("image", "")) \
                or container["image"].endswith(":latest"):
            found.append(f"{name}: the image {container.get('image')!r} has neither tag nor digest")
        if not (container.get("securityContext") or {}).get("readOnlyRootFilesystem"):
            found.append(f"{name}: readOnlyRootFilesystem is not true")
        resources = container.get("resources") or {}
        for kind, resource in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
            if resource not in (resources.get(kind) or {}):
                found.append(f"{name}: resources.{kind}.{resource} is missing")
    return found


def problems_of_installed(item: dict) -> list:
    """What is asked of what users install, beyond an example."""
    metadata = item.get("metadata", {})
    found = [f"label {label} is missing" for label in LABELS if label not in metadata.get("labels", {})]
    if documents.cluster_wide(item) == ("namespace" in metadata):
        found.append("names a namespace but is cluster-wide" if "namespace" in metadata
                     else "names no namespace")
    template = documents.pod_template(item)
    if template is None:
        return found
    pod, spec = template
    found += [f"the Pod's label {label} is missing" for label in LABELS if label not in pod.get("labels", {})]
    if (spec.get("securityContext") or {}).get("runAsUser") != 65532:
        found.append("the Pod does not run as user 65532")
    if item["kind"] not in LONG_RUNNING:
        return found
    spread = {entry["topologyKey"] for entry in spec.get("topologySpreadConstraints") or []}
    if item["spec"].get("replicas") != 1:
        found += [f"no topology spread over {key}" for key in sorted(SPREAD - spread)]
    for container in spec["containers"]:
        name = f"container {container['name']}"
        found += [f"{name}: {probe} is missing" for probe in ("livenessProbe", "readinessProbe")
                  if probe not in container]
        if item["kind"] == "Deployment" and container.get("ports") \
                and "preStop" not in (container.get("lifecycle") or {}):
            found.append(f"{name}: lifecycle.preStop is missing")
        ports = {p.get("name"): p["containerPort"] for p in container.get("ports") or []}
        if "metrics" in ports:
            annotations = pod.get("annotations") or {}
            if annotations.get("prometheus.io/scrape") != "true" \
                    or annotations.get("prometheus.io/port") != str(ports["metrics"]):
                found.append(f"{name}: prometheus.io annotations do not name its metrics port")
    return found


def key_order(document: dict) -> list:
    """apiVersion, kind, metadata, ... in one order everywhere."""
    found = _order(document, "object", "the object")
    found += _order(document.get("metadata") or {}, "metadata", "metadata")
    template = documents.pod_template(document)
    for container in _containers(template[1]) if template else []:
        found += _order(container, "container", f"container {container.get('name')}")
    return found


def _order(mapping: dict, kind: str, place: str) -> list:
    keys = [key for key in mapping if key in ORDER[kind]]
    wanted = sorted(keys, key=ORDER[kind].index)
    return [] if keys == wanted else [f"{place}: keys in the order {', '.join(wanted)}, please"]


def _containers(spec: dict) -> list:
    return [c for kind in ("initContainers", "containers") for c in spec.get(kind) or []]
