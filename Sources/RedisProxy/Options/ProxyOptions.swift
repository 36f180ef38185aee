package import ArgumentParser

/// The options of a proxy; each has an environment variable of the same name in upper case.
package struct ProxyOptions: ParsableArguments {
  @Option(help: "Where clients connect to (default: 127.0.0.1:16379).")
  package var localAddress: String?
  @Option(help: "The primary: host:port,… or redis:// URLs (default: 127.0.0.1:6379).")
  package var remoteAddress: String?
  @Option(help: "Metrics and probes (default: 127.0.0.1:8080).")
  package var monitorAddress: String?
  @Flag(help: "Send reads to the reader's address.")
  package var readerRouting = false
  @Option(help: "Where reads go: host:port,… (default: the primary).")
  package var readerRemoteAddress: String?
  @Option(help: "The longest wait for a connection to a server (default: 10s).")
  package var connectTimeout: String?
  @Option(help: "Clients at one time; more wait for the connect timeout (default: 10000).")
  package var maxConnections: String?
  @Option(help: "Idle connections that are kept for clients that need their own (default: 64).")
  package var maxIdleConnections: String?
  @Option(help: "Idle connections that are kept however long they idle (default: 0).")
  package var minIdleConnections: String?
  @Option(help: "How long a connection may idle (default: 5m).")
  package var maxIdleTime: String?
  @Option(help: "How long a connection may live; 0s: for ever (default: 0s).")
  package var maxLifetime: String?
  @Option(help: "The share by which lifetimes differ, 0 to 1 (default: 0.1).")
  package var jitterPercentage: String?
  @Flag(help: "Prefer replicas in this Pod's topology.")
  package var topologyAwareRouting = false
  @Option(help: "The networks of the topologies: name=CIDR,…")
  package var topologies: String?
  @Option(help: "This Pod's address.")
  package var ownIp: String?
  @Option(help: "How long a client reads from the primary after it wrote (default: 0s).")
  package var readYourWrites: String?
  @Option(help: "The user of clients that do not log in themselves.")
  package var remoteUsername: String?
  @Option(help: "A file with that user's password.")
  package var remotePasswordFile: String?
  @Flag(name: .customLong("remote-tls"), help: "TLS to the servers.")
  package var remoteTLS = false
  @Option(name: .customLong("remote-tls-ca-file"), help: "Who signs the servers' certificates.")
  package var remoteTLSAuthorityFile: String?
  @Option(name: .customLong("remote-tls-cert-file"), help: "The proxy's own certificate.")
  package var remoteTLSCertificateFile: String?
  @Option(name: .customLong("remote-tls-key-file"), help: "Its key.")
  package var remoteTLSKeyFile: String?
  @Option(
    name: .customLong("remote-tls-server-name"), help: "The name in the servers' certificates.")
  package var remoteTLSServerName: String?
  @Option(
    name: .customLong("local-tls-cert-dir"),
    help: "TLS for clients: a directory with tls.crt and tls.key.")
  package var localTLSDirectory: String?
  @Option(
    name: .customLong("local-tls-client-ca-file"), help: "Who signs the clients' certificates.")
  package var localTLSAuthorityFile: String?
  @Option(help: "The longest time for clients to finish at the end (default: 10s).")
  package var terminationGracePeriod: String?
  @Option(help: "For how long clients are still taken at the end (default: 1s).")
  package var lameduck: String?
  @Option(help: "Whether monitor connections are kept open (default: true).")
  package var httpKeepalive: String?
  @Option(help: "Threads for clients and servers (default: 1).")
  package var threads: String?

  package init() {}
}
