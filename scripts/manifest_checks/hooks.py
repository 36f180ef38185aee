"""The hooks in cluster/applications, found by their folders, and what each has to look like.

A hook's folder is called <guard>-hook, such as exactly-one-pod-hook: all its other names follow. The
annotations that it knows are the rows of the table in its README.
"""

import dataclasses
import pathlib
import re

from . import documents

KINDS = {"Certificate", "Deployment", "Issuer", "MutatingWebhookConfiguration", "PodDisruptionBudget",
         "Service", "ServiceAccount", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
WEBHOOK = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "reinvocationPolicy": "IfNeeded",
           "sideEffects": "NoneOnDryRun", "timeoutSeconds": 5}
NEEDED = ("key", "length", "expiration")
NUMBERS = {"length": 100_000, "expiration": 31_536_000}
STORES = ("REDIS_ADDRESSES", "QUEUE_REDIS_ADDRESS", "ETCD_ADDRESSES")


@dataclasses.dataclass(frozen=True)
class Hook:
    directory: pathlib.Path

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def guard(self) -> str:
        return self.name.removesuffix("-hook")

    @property
    def domain(self) -> str:
        return f"{self.name}.kaidotio.github.io"

    @property
    def guard_annotation(self) -> str:
        return f"{self.domain}/{self.guard}"

    @property
    def sidecar(self) -> str:
        return f"{self.guard}-sidecar"

    @property
    def image(self) -> str:
        return f"ghcr.io/kaidotio/hippocampus/{self.name}"

    @property
    def annotations(self) -> set:
        """Their short names, as the README has them: | `/key` | …"""
        readme = self.directory / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.exists() else ""
        return set(re.findall(r"^\| `/([a-z-]+)` \|", _section(text, "Annotations"), re.MULTILINE))

    def guards(self, annotations: dict) -> bool:
        return annotations.get(self.guard_annotation) == "true"


def find(cluster: pathlib.Path) -> list:
    return [Hook(path) for path in sorted((cluster / "applications").glob("*-pod-hook")) if path.is_dir()]


def problems(hooks: list, groups: dict) -> list:
    """`groups`: the objects of every rendering and of every file outside of one, by their source."""
    found = []
    stores = {}
    for hook in hooks:
        if not {hook.guard, *NEEDED[::2]} <= hook.annotations:
            found.append(f"{hook.directory}/README.md: its section Annotations lacks the table of them")
        installed = groups.get(str(hook.directory / "manifests"), (True, []))[1]
        texts = _installed(hook, installed)
        servers, prefix = _store(hook, installed)
        texts += [f"{server} is not among the servers of any rendering" for server in sorted(servers)
                  if not _served(server, groups)]
        texts += [f"its keys in {server} would meet those of {other}: give one a KEY_PREFIX"
                  for server in sorted(servers) if (other := stores.get((server, prefix)))]
        stores.update({(server, prefix): hook.name for server in servers})
        found += (f"{hook.directory}/manifests: {text}" for text in texts)
    for source, (_, group) in groups.items():
        for item in group:
            for text in _guarded(hooks, item):
                found.append(f"{source}: {item.get('kind')}/{item.get('metadata', {}).get('name')}: {text}")
    return found


def _installed(hook: Hook, group: list) -> list:
    found = [f"there is no {kind}" for kind in sorted(KINDS - {item["kind"] for item in group})]
    for item in group:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if not re.match(rf"{re.escape(hook.name)}(-|$)", item["metadata"]["name"]):
            found.append(f"{name}: the name is not {hook.name}")
        if not documents.cluster_wide(item) and item["metadata"].get("namespace") != hook.name:
            found.append(f"{name}: the namespace is not {hook.name}")
        if item["metadata"].get("labels", {}).get("app.kubernetes.io/name") != hook.name:
            found.append(f"{name}: app.kubernetes.io/name is not {hook.name}")
    webhooks = [w for item in group for w in item.get("webhooks") or []]
    if [w["name"] for w in webhooks] != [hook.domain]:
        found.append(f"there is not one webhook, called {hook.domain}")
    policies = [item["spec"] for item in group if item["kind"] == "ValidatingAdmissionPolicy"]
    for webhook in webhooks:
        found += [f"webhook {webhook['name']}: {key} is not {value}" for key, value in WEBHOOK.items()
                  if webhook.get(key) != value]
        for policy in policies:
            if policy.get("matchConditions") != webhook.get("matchConditions"):
                found.append("webhook and policy have different matchConditions")
            constraints = policy["matchConstraints"]
            if constraints.get("namespaceSelector") != webhook.get("namespaceSelector") \
                    or constraints.get("resourceRules") != webhook.get("rules"):
                found.append("webhook and policy are asked about different objects")
    for container in _containers(group):
        images = {container["image"], _environment(container).get("SIDECAR_IMAGE")}
        if len(images) != 1 or not re.match(rf"{re.escape(hook.image)}[:@]", container["image"]):
            found.append(f"container {container['name']}: image and SIDECAR_IMAGE are not one {hook.image}")
    return found


def _store(hook: Hook, group: list) -> tuple:
    """The servers (with the database, if it is not 0) that a hook is installed with, and its key prefix."""
    values = {}
    for container in _containers(group):
        values.update(_environment(container))
    servers = {address.strip().removeprefix("redis://").removesuffix("/0")
               for name in STORES for address in values.get(name, "").split(",") if address.strip()}
    return servers, values.get("KEY_PREFIX", "")


def _served(server: str, groups: dict) -> bool:
    """Whether a StatefulSet somewhere has that Pod: <name>-<n>.<service>.<namespace>.svc…:port."""
    host = server.partition("/")[0].rpartition(":")[0]
    return any(
        host == f"{item['metadata']['name']}-{number}.{item['spec']['serviceName']}"
                f".{item['metadata'].get('namespace')}.svc.cluster.local"
        for _, group in groups.values() for item in group if item.get("kind") == "StatefulSet"
        for number in range(item["spec"].get("replicas", 1)))


def _guarded(hooks: list, item: dict) -> list:
    """What a workload asks of the hooks, and whether it could ever roll over."""
    template = documents.pod_template(item)
    if template is None:
        return []
    annotations = template[0].get("annotations") or {}
    found = []
    for hook in hooks:
        # A value that is no text is a fault that the schema finds.
        own = {key.partition("/")[2]: str(value) for key, value in annotations.items()
               if key.startswith(f"{hook.domain}/")}
        found += [f"{hook.name} has no annotation /{key}" for key in sorted(set(own) - hook.annotations)]
        if not hook.guards(annotations):
            found += [f"annotations of {hook.name} without /{hook.guard}: \"true\""] if own else []
            continue
        found += [f"{hook.name}: /{key} is missing" for key in NEEDED
                  if key in hook.annotations and not own.get(key)]
        found += [f"{hook.name}: /{key} is not a whole number from 1 to {most}"
                  for key, most in NUMBERS.items() if key in own
                  and not (re.fullmatch("[0-9]{1,9}", own[key]) and 1 <= int(own[key]) <= most)]
        length = own.get("length", "1")
        if item["kind"] == "Deployment" and length.isdigit() and not _rolls(item["spec"], int(length)):
            found.append(f"{hook.name}: with {length} at a time a rolling update would wait for ever")
    return found


def _rolls(spec: dict, length: int) -> bool:
    """Whether a new Pod gets a place before all that must be there are there, or an old one may go."""
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return True
    replicas = spec.get("replicas", 1)
    rolling = strategy.get("rollingUpdate") or {}

    def share(key: str, rounding: int) -> int:
        value = str(rolling.get(key, "25%"))
        return (int(value[:-1]) * replicas + rounding) // 100 if value.endswith("%") else int(value)

    surge, unavailable = share("maxSurge", 99), share("maxUnavailable", 0)
    if surge == unavailable == 0:
        unavailable = 1
    return (surge > 0 and length > replicas) or unavailable > replicas - length


def _containers(group: list) -> list:
    return [container for item in group
            if item["kind"] == "Deployment" and (template := documents.pod_template(item))
            for container in template[1]["containers"]]


def _environment(container: dict) -> dict:
    return {entry["name"]: entry.get("value", "") for entry in container.get("env") or []}


def _section(text: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""
