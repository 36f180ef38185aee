/// Files and names for TLS. When calls fail, the files are looked at again and what changed is used
/// for the next connection, so that replaced certificates are picked up.
package struct EtcdTLS: Sendable, Hashable {
  /// PEM: who may sign the server's certificate; nil for the system's authorities.
  package var authorityFile: String?
  /// PEM: the client's certificate chain, leaf first. Needs a key.
  package var certificateFile: String?
  /// PEM: the client's private key.
  package var keyFile: String?
  /// The DNS name that the server's certificate has to bear, if not the address's host.
  package var serverName: String?

  package init(
    authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
    serverName: String? = nil
  ) {
    self.authorityFile = authorityFile
    self.certificateFile = certificateFile
    self.keyFile = keyFile
    self.serverName = serverName
  }
}
