import Crypto
import FoundationEssentials
import Glibc
import SwiftASN1
import X509

/// A certificate authority for tests, and a directory with what it issued last: `tls.crt`,
/// `tls.key` and `ca.crt`, P-256, valid for `localhost`, `127.0.0.1` and `::1`.
package struct TestCertificates: Sendable {
  /// As `--certDir` takes it.
  package let directory: String
  /// The authority's certificate as PEM text.
  package let authority: String

  private let authorityKey: P256.Signing.PrivateKey
  private let authorityName: DistinguishedName

  /// Makes an authority and issues the first pair into `directory`, which must exist.
  package init(directory: String) throws {
    self.directory = directory
    authorityKey = P256.Signing.PrivateKey()
    authorityName = try DistinguishedName {
      CommonName("test authority \(UInt32.random(in: 0 ... .max))")
    }
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(),
      publicKey: Certificate.PublicKey(authorityKey.publicKey),
      notValidBefore: Date().addingTimeInterval(-3600),
      notValidAfter: Date().addingTimeInterval(86_400 * 30),
      issuer: authorityName, subject: authorityName,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      },
      issuerPrivateKey: Certificate.PrivateKey(authorityKey))
    authority = try certificate.serializeAsPEM().pemString
    try Self.write(authority, to: authorityPath)
    try reissue()
  }

  package var certificatePath: String { "\(directory)/tls.crt" }
  package var keyPath: String { "\(directory)/tls.key" }
  package var authorityPath: String { "\(directory)/ca.crt" }

  /// Replaces `tls.crt` and `tls.key`, each atomically, by a new pair of the same authority.
  ///
  /// - Returns: the new serial number, by which a test tells the certificates apart.
  @discardableResult
  package func reissue() throws -> [UInt8] {
    let pair = try issue(commonName: "localhost")
    try Self.write(pair.key, to: keyPath)
    try Self.write(pair.certificate, to: certificatePath)
    return pair.serialNumber
  }

  /// Issues a pair for server and client use without writing it: PEM texts.
  package func issue(
    commonName: String
  ) throws -> (certificate: String, key: String, serialNumber: [UInt8]) {
    let key = P256.Signing.PrivateKey()
    let serialNumber = Certificate.SerialNumber()
    let certificate = try Certificate(
      version: .v3, serialNumber: serialNumber, publicKey: Certificate.PublicKey(key.publicKey),
      notValidBefore: Date().addingTimeInterval(-3600),
      notValidAfter: Date().addingTimeInterval(86_400 * 7),
      issuer: authorityName,
      subject: DistinguishedName { CommonName(commonName) },
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([.serverAuth, .clientAuth])
        SubjectAlternativeNames([
          .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
          .ipAddress(ASN1OctetString(contentBytes: Self.loopbackV6)),
        ])
      },
      issuerPrivateKey: Certificate.PrivateKey(authorityKey))
    return (
      try certificate.serializeAsPEM().pemString, key.pemRepresentation,
      Array(serialNumber.bytes)
    )
  }

  private static let loopbackV6: ArraySlice<UInt8> = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
  ]

  private static func write(_ text: String, to path: String) throws {
    let temporary = "\(path).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    let bytes = Array(text.utf8)
    let written = Glibc.write(descriptor, bytes, bytes.count)
    close(descriptor)
    guard written == bytes.count, rename(temporary, path) == 0 else { throw failure(path) }
  }

  private static func failure(_ path: String) -> LocalServersError {
    LocalServersError(.system, "cannot write \(path): \(String(cString: strerror(errno)))")
  }
}
