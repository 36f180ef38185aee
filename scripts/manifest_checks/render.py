"""Kustomizations: their files, and what they render to, by kubectl or kustomize where there is one."""

import copy
import json
import pathlib
import re
import shutil
import subprocess

from . import documents

DEPRECATED = {
    "bases": "resources",
    "commonLabels": "labels",
    "imageTags": "images",
    "patchesJson6902": "patches",
    "patchesStrategicMerge": "patches",
    "vars": "replacements",
    "helmCharts": "rendered manifests",
    "helmChartInflationGenerator": "rendered manifests",
}
# What the built-in renderer understands; with anything else only kubectl will do.
SIMPLE = {"apiVersion", "kind", "namespace", "labels", "resources", "configMapGenerator"}


class Failed(Exception):
    pass


class Renderer:
    def __init__(self, parsed: dict):
        self.parsed = parsed
        self.kustomizations = {
            path.parent: contents[0] for path, contents in parsed.items()
            if path.name in ("kustomization.yaml", "kustomization.yml") and contents
        }
        self.command, self.description = _command()

    def roots(self) -> list:
        """All but the components, which make no sense alone."""
        return [d for d, k in self.kustomizations.items() if k.get("kind") != "Component"]

    def file_problems(self) -> list:
        problems = []
        for directory, kustomization in self.kustomizations.items():
            for field, instead in DEPRECATED.items():
                if field in kustomization:
                    problems.append(f"{directory}: {field} is deprecated, use {instead}")
            used = set(_references(kustomization))
            for name in sorted(used):
                if not (directory / name).exists():
                    problems.append(f"{directory}/kustomization.yaml: {name} does not exist")
                if (directory / name).is_dir() and \
                        (directory / name).resolve() not in {d.resolve() for d in self.kustomizations}:
                    problems.append(f"{directory}/kustomization.yaml: no kustomization in {name}")
            for path in self.parsed:
                if path.parent == directory and path.name not in used \
                        and path.name not in ("kustomization.yaml", "kustomization.yml"):
                    problems.append(f"{path}: the kustomization beside it does not use it")
        return problems

    def render(self, directory: pathlib.Path) -> list:
        if self.command is None:
            return self._render_simply(directory)
        done = subprocess.run(
            [*self.command, str(directory)], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0 or done.stderr.strip():
            raise Failed(f"{' '.join(self.command)}: {done.stderr.strip()}")
        return documents.parse(done.stdout)

    def _render_simply(self, directory: pathlib.Path) -> list:
        kustomization = self.kustomizations[directory]
        unknown = sorted(set(kustomization) - SIMPLE)
        if unknown:
            raise Failed(f"rendering {', '.join(unknown)} needs kubectl ≥ 1.27 or kustomize ≥ 5")
        items = []
        for name in kustomization.get("resources", []):
            path = directory / name
            if path.is_dir():
                found = [d for d in self.kustomizations if d.resolve() == path.resolve()]
                items += self._render_simply(found[0]) if found else []
            else:
                items += copy.deepcopy(self.parsed.get(path, []))
        for generator in kustomization.get("configMapGenerator", []):
            data = {pathlib.Path(f).name: (directory / f).read_text() for f in generator.get("files", [])}
            items.append({"apiVersion": "v1", "kind": "ConfigMap",
                          "metadata": {"name": generator["name"]}, "data": data})
        for item in items:
            metadata = item.setdefault("metadata", {})
            if "namespace" in kustomization and not documents.cluster_wide(item):
                metadata["namespace"] = kustomization["namespace"]
            for labels in kustomization.get("labels", []):
                metadata.setdefault("labels", {}).update(labels["pairs"])
                template = (item.get("spec") or {}).get("template")
                if labels.get("includeTemplates") and isinstance(template, dict):
                    template.setdefault("metadata", {}).setdefault("labels", {}).update(labels["pairs"])
        return items


def _references(kustomization: dict):
    for field in ("resources", "components", "crds", "configurations", "generators", "transformers"):
        for name in kustomization.get(field, []):
            if "://" not in name and "\n" not in name:
                yield name
    for field in ("patches", "replacements"):
        for entry in kustomization.get(field, []):
            if "path" in entry:
                yield entry["path"]
    for field in ("configMapGenerator", "secretGenerator"):
        for generator in kustomization.get(field, []):
            for name in generator.get("files", []) + generator.get("envs", []):
                yield name.split("=", 1)[-1]


def _command():
    """The first of kubectl (≥ 1.27) and kustomize (≥ 5) that is there, and how to name it."""
    if shutil.which("kubectl"):
        version = _output(["kubectl", "version", "--client", "--output=json"])
        try:
            number = json.loads(version)["clientVersion"]["gitVersion"]
        except (ValueError, KeyError):
            number = "unknown"
        if _at_least(number, (1, 27)):
            return ["kubectl", "kustomize"], f"kubectl {number}"
    if shutil.which("kustomize"):
        number = _output(["kustomize", "version"]).strip()
        if _at_least(number, (5, 0)):
            return ["kustomize", "build"], f"kustomize {number}"
    return None, "the built-in renderer (no kubectl ≥ 1.27 here: install one for the real thing)"


def _output(command: list) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def _at_least(number: str, least: tuple) -> bool:
    found = re.search(r"(\d+)\.(\d+)", number)
    return bool(found) and tuple(map(int, found.groups())) >= least
