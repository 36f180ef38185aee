"""What the objects of one rendering say of each other: selectors, ports, names, certificates."""

from . import documents


def problems(group: list) -> list:
    pods = {}
    for item in group:
        template = documents.pod_template(item)
        if template:
            pods[item["metadata"]["name"]] = (item, *template)
    named = {(i["kind"], i["metadata"].get("namespace"), i["metadata"]["name"]) for i in group}
    found = []

    for name, (item, metadata, spec) in pods.items():
        labels = metadata.get("labels") or {}
        if "selector" in item["spec"] and not _selects(item["spec"]["selector"].get("matchLabels"), labels):
            found.append(f"{item['kind']}/{name}: its selector does not select its own Pods")
        if item["kind"] in ("Deployment", "StatefulSet") and not any(
                i["kind"] == "PodDisruptionBudget"
                and _selects(i["spec"]["selector"].get("matchLabels"), labels) for i in group):
            found.append(f"{item['kind']}/{name}: no PodDisruptionBudget selects its Pods")
        account = spec.get("serviceAccountName")
        if account and ("ServiceAccount", item["metadata"].get("namespace"), account) not in named:
            found.append(f"{item['kind']}/{name}: ServiceAccount {account} is not here")

    for item in group:
        name = f"{item['kind']}/{item['metadata']['name']}"
        if item["kind"] == "Service" and item["spec"].get("selector"):
            found += (f"{name}: {text}" for text in _service(item, pods))
        for webhook in item.get("webhooks") or []:
            found += (f"{name}: {text}" for text in _webhook(webhook, item, group))
        if item["kind"].endswith("AdmissionPolicyBinding") and (
                item["kind"].removesuffix("Binding"), None, item["spec"]["policyName"]) not in named:
            found.append(f"{name}: its policy is not here")
    return found


def _service(service: dict, pods: dict) -> list:
    selector = service["spec"]["selector"]
    chosen = [spec for _, metadata, spec in pods.values() if _selects(selector, metadata.get("labels") or {})]
    if not chosen:
        return ["selects no Pod of this rendering"]
    ports = {p for spec in chosen for c in spec["containers"] for port in c.get("ports") or []
             for p in (port.get("name"), port["containerPort"])}
    return [f"no container has the port {port.get('targetPort', port['port'])}"
            for port in service["spec"]["ports"] if port.get("targetPort", port["port"]) not in ports]


def _webhook(webhook: dict, configuration: dict, group: list) -> list:
    target = webhook["clientConfig"].get("service")
    if not target:
        return []
    services = [i for i in group if i["kind"] == "Service" and i["metadata"]["name"] == target["name"]
                and i["metadata"].get("namespace") == target["namespace"]]
    if not services:
        return [f"the service {target['namespace']}/{target['name']} is not here"]
    found = []
    if target.get("port", 443) not in {p["port"] for p in services[0]["spec"]["ports"]}:
        found.append(f"the service has no port {target.get('port', 443)}")
    source = (configuration["metadata"].get("annotations") or {}).get("cert-manager.io/inject-ca-from", "")
    certificates = [i for i in group if i["kind"] == "Certificate"
                    and f"{i['metadata'].get('namespace')}/{i['metadata']['name']}" == source]
    host = f"{target['name']}.{target['namespace']}.svc"
    if not certificates:
        found.append(f"cert-manager.io/inject-ca-from names no Certificate: {source!r}")
    elif host not in certificates[0]["spec"]["dnsNames"]:
        found.append(f"the certificate is not for {host}")
    elif not any((volume.get("secret") or {}).get("secretName") == certificates[0]["spec"]["secretName"]
                 for item in group if (template := documents.pod_template(item))
                 for volume in template[1].get("volumes") or []):
        found.append("no Pod mounts the certificate's secret")
    excluded = {value for e in webhook.get("namespaceSelector", {}).get("matchExpressions", [])
                if e["operator"] == "NotIn" for value in e["values"]}
    found += [f"does not exclude the namespace {n}"
              for n in sorted({"kube-system", target["namespace"]} - excluded)]
    return found


def _selects(wanted, labels: dict) -> bool:
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())
