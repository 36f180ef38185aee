"""The CEL of webhooks and admission policies, evaluated on Pods: recorded AdmissionReviews and some more."""

import json

import celpy

MIRROR = "kubernetes.io/config.mirror"


def problems(group: list, root, hooks: list) -> list:
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
            # Webhook and policy are called like the hook that they belong to.
            hook = next((h for h in hooks if h.name == item["metadata"]["name"]), None)
            if hook is None:
                found += [f"{name}: no hook has this name"] if conditions else []
                continue
            for title, pod in _pods(root, hooks):
                annotations = pod["metadata"].get("annotations") or {}
                guarded = MIRROR not in annotations and hook.guards(annotations)
                try:
                    matched = all(holds(expression, pod) for expression in conditions)
                    if matched != guarded:
                        found.append(f"{name}: matchConditions on {title}: {matched}, not {guarded}")
                    if matched and "validations" in place:
                        found += (f"{name}: {text}" for text in _validations(place, pod, title, hook, hooks, holds))
                except celpy.CELEvalError as fault:
                    found.append(f"{name}: on {title}: {fault}")
    return found


def _validations(policy: dict, pod: dict, title: str, hook, hooks: list, holds) -> list:
    def accepted(candidate: dict) -> bool:
        return all(holds(v["expression"], candidate) for v in policy["validations"])

    found = [] if not accepted(pod) else [f"accepts {title}, which has no sidecar"]
    for kind in ("initContainers", "containers"):
        spec = pod["spec"]
        for other in hooks:
            injected = {**pod, "spec": {**spec, kind: [{"name": other.sidecar}, *(spec.get(kind) or [])]}}
            if accepted(injected) != (other is hook):
                found.append(f"{'refuses' if other is hook else 'accepts'} {title}"
                             f" with {other.sidecar} in {kind}")
    return found


def _pods(root, hooks: list):
    spec = {"containers": [{"name": "app"}]}
    yield "a Pod without metadata but a name", {"metadata": {"name": "a"}, "spec": spec}
    yield "a Pod with no annotations", {"metadata": {"annotations": {}}, "spec": spec}
    yield "a Pod with another annotation", {"metadata": {"annotations": {"a": "b"}}, "spec": spec}
    guards = [{hook.guard_annotation: "true"} for hook in hooks]
    guards.append({key: value for guard in guards for key, value in guard.items()})
    for guard in guards:
        names = " and ".join(key.rpartition("/")[2] for key in guard)
        yield f"a Pod with {names}", {"metadata": {"annotations": guard}, "spec": spec}
        yield f"a mirror Pod with {names}", {"metadata": {"annotations": {**guard, MIRROR: "x"}}, "spec": spec}
        yield f"a Pod with {names}: True", {
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
