"""YAML files as lists of documents, strictly: a key that stands twice is a fault."""

import pathlib
import re

import yaml

_CLUSTER_WIDE = re.compile(
    r"^(Namespace|ClusterRole(Binding)?|CustomResourceDefinition|PriorityClass|ClusterIssuer"
    r"|(Mutating|Validating)WebhookConfiguration|(Mutating|Validating)AdmissionPolicy(Binding)?)$")


class Unreadable(Exception):
    pass


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise Unreadable(f"line {key.start_mark.line + 1}: {key.value!r} stands twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# Kubernetes reads YAML 1.1 octal numbers (0440) as PyYAML does; dates stay text there.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> list:
    try:
        return [item for item in yaml.load_all(text, _StrictLoader) if item is not None]
    except yaml.YAMLError as fault:
        raise Unreadable(str(fault).replace("\n", " ")) from fault


def load(path: pathlib.Path) -> list:
    return parse(path.read_text(encoding="utf-8"))


def cluster_wide(item: dict) -> bool:
    return bool(_CLUSTER_WIDE.match(item.get("kind", "")))


def pod_template(item: dict):
    """(metadata, spec) of the Pods that this object makes, or None."""
    spec = item.get("spec") or {}
    match item.get("kind"):
        case "Pod":
            return item.get("metadata", {}), spec
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            template = spec.get("template", {})
        case "CronJob":
            template = spec.get("jobTemplate", {}).get("spec", {}).get("template", {})
        case _:
            return None
    return template.get("metadata", {}), template.get("spec", {})
