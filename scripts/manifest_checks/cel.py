"""The CEL of webhooks and admission policies, evaluated on Pods: recorded AdmissionReviews and some more."""

import json

import celpy

MIRROR = "kubernetes.io/config.mirror"


def problems(group: list, root) -> list:
    found = []
    environment = celpy.Environment()
    programs = {}

    def holds(expression: str, pod: dict):
        if expression not in programs:
            programs[expression] = environment.program(environment.compile(expression))
        return bool(programs[expression].evaluate({"object": celpy.json_to_cel(pod)}))

    for item in group:
        if item["kind"] == "ValidatingAdmissionPolicy":
            places = [("", item["spec"])]
        else:
            places = [(f" {webhook['name']}", webhook) for webhook in item.get("webhooks") or []]
        for suffix, place in places:
            conditions = [c["expression"] for c in place.get("matchConditions") or []]
            name = f"{item['kind']}/{item['metadata']['name']}{suffix}"
            for title, pod in _pods(root):
                annotations = pod["metadata"].get("annotations") or {}
                # The annotation's domain is the name of the webhook; a policy belongs to one.
                guarded = MIRROR not in annotations and any(
                    key.endswith((".kaidotio.github.io/exactly-one-pod", ".kaidotio.github.io/at-least-semaphore-pod"))
                    and item["metadata"]["name"] in key and value == "true"
                    for key, value in annotations.items())
                try:
                    matched = all(holds(expression, pod) for expression in conditions)
                    if matched != guarded:
                        found.append(f"{name}: matchConditions on {title}: {matched}, not {guarded}")
                    if matched and "validations" in place:
                        found += (f"{name}: {text}" for text in _validations(place, pod, title, holds))
                except celpy.CELEvalError as fault:
                    found.append(f"{name}: on {title}: {fault}")
    return found


def _validations(policy: dict, pod: dict, title: str, holds) -> list:
    def accepted(candidate: dict) -> bool:
        return all(holds(v["expression"], candidate) for v in policy["validations"])

    sidecar = _sidecar_name(pod)
    found = [] if not accepted(pod) else [f"accepts {title}, which has no sidecar"]
    for kind in ("initContainers", "containers"):
        spec = pod["spec"]
        injected = {**pod, "spec": {**spec, kind: [{"name": sidecar}, *(spec.get(kind) or [])]}}
        if not accepted(injected):
            found.append(f"refuses {title} with {sidecar} in {kind}")
    return found


def _sidecar_name(pod: dict) -> str:
    exactly_one = any(key.endswith("/exactly-one-pod") for key in pod["metadata"]["annotations"])
    return "exactly-one-pod-sidecar" if exactly_one else "at-least-semaphore-pod-sidecar"


def _pods(root):
    guard = {"exactly-one-pod-hook.kaidotio.github.io/exactly-one-pod": "true"}
    spec = {"containers": [{"name": "app"}]}
    yield "a Pod without metadata but a name", {"metadata": {"name": "a"}, "spec": spec}
    yield "a Pod with no annotations", {"metadata": {"annotations": {}}, "spec": spec}
    yield "a Pod with another annotation", {"metadata": {"annotations": {"a": "b"}}, "spec": spec}
    yield "a guarded Pod", {"metadata": {"annotations": guard}, "spec": spec}
    yield "a mirror Pod", {"metadata": {"annotations": {**guard, MIRROR: "x"}}, "spec": spec}
    yield "an annotated, not guarded Pod", {
        "metadata": {"annotations": {key: "True" for key in guard}}, "spec": spec}
    for path in sorted((root / "Tests/AdmissionReviewTests/Fixtures").glob("**/*.json")):
        try:
            request = json.loads(path.read_text())["request"]
        except (ValueError, KeyError, TypeError, UnicodeDecodeError):
            continue
        pod = request.get("object") if isinstance(request, dict) else None
        if isinstance(pod, dict) and pod.get("kind") == "Pod" and request.get("operation") == "CREATE" \
                and not _has_sidecar(pod):
            yield path.name, pod


def _has_sidecar(pod: dict) -> bool:
    return any(container.get("name", "").endswith("-sidecar")
               for kind in ("initContainers", "containers") for container in pod["spec"].get(kind) or [])
