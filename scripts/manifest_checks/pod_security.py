"""The `restricted` Pod Security Standard (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""

from . import documents

VOLUMES = {"name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
           "persistentVolumeClaim", "projected", "secret"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
           "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
           "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
           "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"}


def problems(item: dict) -> list:
    template = documents.pod_template(item)
    if template is None:
        return []
    spec = template[1]
    pod = spec.get("securityContext") or {}
    found = [f"restricted: {field} must not be true"
             for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    for volume in spec.get("volumes") or []:
        found += [f"restricted: volume {volume['name']} has the type {kind}"
                  for kind in volume if kind not in VOLUMES]
    found += [f"restricted: sysctl {s['name']}" for s in pod.get("sysctls") or []
              if s["name"] not in SYSCTLS]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or []:
            found += (f"restricted: container {container['name']}: {text}"
                      for text in _container(container, pod))
    return found


def _container(container: dict, pod: dict) -> list:
    own = container.get("securityContext") or {}
    found = []
    if own.get("privileged"):
        found.append("privileged")
    if own.get("allowPrivilegeEscalation") is not False:
        found.append("allowPrivilegeEscalation is not false")
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        found.append("runAsNonRoot is not true")
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        found.append("runAsUser is 0")
    seccomp = (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type")
    if seccomp not in ("RuntimeDefault", "Localhost"):
        found.append("seccompProfile is neither RuntimeDefault nor Localhost")
    capabilities = own.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        found.append("capabilities.drop lacks ALL")
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        found.append("adds capabilities")
    if own.get("procMount", "Default") != "Default":
        found.append("procMount is not Default")
    for options in (own, pod):
        if (options.get("appArmorProfile") or {}).get("type") == "Unconfined":
            found.append("AppArmor is unconfined")
        linux = options.get("seLinuxOptions") or {}
        if linux.get("user") or linux.get("role") or linux.get("type") not in (
                None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"):
            found.append("SELinux options")
        if (options.get("windowsOptions") or {}).get("hostProcess"):
            found.append("is a Windows host process")
    found += ["uses a host port" for port in container.get("ports") or [] if port.get("hostPort")]
    return found
