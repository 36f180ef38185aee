"""OpenAPI schemas: Kubernetes' own, strictly, and those of CustomResourceDefinitions where given."""

import copy
import pathlib

import jsonschema
import kubernetes_validate

from . import documents


class Validator:
    def __init__(self, versions: list, crds: str | None):
        self.versions = versions
        self.custom = {}
        for path in sorted(pathlib.Path(crds).glob("*.yaml")) if crds else []:
            for definition in documents.load(path):
                self._add(definition)
        self.crd_description = (
            f"{len(self.custom)} custom resource schemas" if self.custom
            else f"no custom resource schemas in {crds}" if crds
            else "no custom resource schemas (CRD_SCHEMAS is not set)")

    def _add(self, definition: dict):
        if definition.get("kind") != "CustomResourceDefinition":
            return
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = version.get("schema", {}).get("openAPIV3Schema")
            if schema:
                schema = copy.deepcopy(schema)
                schema.setdefault("properties", {}).update(
                    apiVersion={"type": "string"}, kind={"type": "string"},
                    metadata={"type": "object"})
                self.custom[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = _strict(schema)

    def problems(self, item: dict) -> list:
        key = item.get("apiVersion"), item.get("kind")
        if key in self.custom:
            errors = jsonschema.Draft202012Validator(self.custom[key]).iter_errors(item)
            return [f"{_place(error)}: {error.message}" for error in errors]
        problems = []
        for version in self.versions:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"Kubernetes {version}: {_place(error)}: {error.message}")
            except kubernetes_validate.SchemaNotFoundError:
                # A custom resource, unless its group says that it is one of Kubernetes' own.
                group = key[0].rpartition("/")[0]
                if "." not in group or group.endswith(".k8s.io") and "gateway" not in group:
                    problems.append(f"Kubernetes {version} does not know {key[0]} {key[1]}")
        return problems


def _strict(schema):
    """No field that the schema does not name, as a server-side strict check has it."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: _strict(part) for name, part in value.items()}
        elif key in ("items", "additionalProperties"):
            result[key] = _strict(value)
        elif key in ("enum", "default", "required", "allOf", "anyOf", "oneOf", "not"):
            result[key] = value
        elif key not in ("format", "nullable") and not key.startswith("x-"):
            result[key] = value
    if schema.get("type") == "object" and "properties" in schema \
            and "additionalProperties" not in schema \
            and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if schema.get("nullable") and "type" in result:
        result["type"] = [result["type"], "null"]
    return result


def _place(error) -> str:
    return ".".join(str(part) for part in error.absolute_path) or "the object"
