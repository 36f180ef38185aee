package import ArgumentParser
import EtcdClient
import ServiceKit

/// How to reach etcd.
package struct EtcdOptions: ParsableArguments {
  @Option(
    help: "Members of one etcd cluster, host:port or URLs, by commas (default: 127.0.0.1:2379).")
  package var etcdAddresses: String?

  @Option(help: "How long one etcd member may take before the next is asked (default: 500ms).")
  package var etcdTimeout: String?

  @Option(
    help: "A directory that may hold username, password, ca.crt, tls.crt and tls.key for etcd.")
  package var etcdCredentialsDirectory: String?

  @Option(help: "PEM file with the authorities that sign the etcd members' certificates.")
  package var etcdCAFile: String?

  @Option(help: "PEM file with this client's certificate for etcd.")
  package var etcdCertificateFile: String?

  @Option(help: "PEM file with this client's key for etcd.")
  package var etcdKeyFile: String?

  @Option(help: "A file with the etcd password; or the variable ETCD_PASSWORD.")
  package var etcdPasswordFile: String?

  package init() {}

  func resolve(_ reader: inout OptionReader) -> EtcdSettings {
    var settings = EtcdSettings()
    if let text = reader.string("etcd-addresses", flag: etcdAddresses) {
      do throws(EtcdError) {
        settings.addresses = try EtcdAddress.list(parsing: text)
      } catch {
        reader.reject(
          "etcd-addresses", value: text.contains("@") ? nil : text,
          allowed: "different members as host:port or http(s)://host:port, separated by commas ("
            + error.message + ")")
      }
    }
    if Set(settings.addresses.map(\.usesTLS)).count > 1 {
      reader.reject(
        "etcd-addresses", value: settings.text,
        allowed: "members of one cluster, all with https:// or none")
    }
    settings.timeout = reader.duration(
      "etcd-timeout", flag: etcdTimeout, default: EtcdSettings.usualTimeout,
      in: .milliseconds(1)...(.seconds(30)))
    settings.access = StoreAccess(
      "etcd",
      .init(
        authorityFile: etcdCAFile, certificateFile: etcdCertificateFile, keyFile: etcdKeyFile,
        passwordFile: etcdPasswordFile, directory: etcdCredentialsDirectory), &reader)
    if settings.access.password != nil, settings.access.username == nil {
      reader.reject(
        "etcd-password", value: nil, allowed: "a password together with a user (ETCD_USERNAME)")
    }
    return settings
  }
}
