import EtcdClient
import ServiceKit

/// The etcd cluster of a process and how it lets it in.
struct EtcdSettings: Sendable {
  static let usualTimeout = Duration.milliseconds(500)

  var addresses = [EtcdAddress(host: "127.0.0.1")]
  var timeout = usualTimeout
  var access = StoreAccess()

  var configuration: EtcdConfiguration {
    var etcd = EtcdConfiguration(addresses: addresses)
    etcd.attemptTimeout = timeout
    if let username = access.username, let password = access.password {
      etcd.credentials = EtcdCredentials(username: username.reveal, password: password.reveal)
    }
    if addresses.contains(where: \.usesTLS) {
      etcd.tls = EtcdTLS(
        authorityFile: access.authorityFile, certificateFile: access.certificateFile,
        keyFile: access.keyFile)
    }
    return etcd
  }

  var sidecarAccess: SidecarAccess {
    var access = SidecarAccess(
      arguments: ["--etcd-addresses", text],
      secretArguments: ["--etcd-credentials-directory", SidecarTemplate.secretPath],
      needsSecret: access.isNeeded(usesTLS: addresses.contains(where: \.usesTLS)),
      ports: Set(addresses.map(\.port)))
    if timeout != Self.usualTimeout { access.arguments += ["--etcd-timeout", timeout.text] }
    return access
  }

  var text: String {
    addresses.map { $0.usesTLS ? "https://\($0)" : "\($0)" }.joined(separator: ",")
  }
}
