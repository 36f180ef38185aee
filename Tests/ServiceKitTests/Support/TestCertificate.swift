import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// A key with a certificate that is its own authority.
struct TestCertificate {
  let certificate: String
  let key: String

  /// - Parameters:
  ///   - name: its common name, which tells one from another.
  ///   - expiry: seconds since 1970.
  init(name: String, expiry: Int = 4_000_000_000) throws {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let subject = try DistinguishedName { CommonName(name) }
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
      notValidBefore: Date(timeIntervalSince1970: 1_000_000_000),
      notValidAfter: Date(timeIntervalSince1970: Double(expiry)), issuer: subject,
      subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        SubjectAlternativeNames([.dnsName("localhost")])
      },
      issuerPrivateKey: key)
    self.certificate = try certificate.serializeAsPEM().pemString + "\n"
    self.key = try key.serializeAsPEM().pemString + "\n"
  }

  func write(to directory: String) throws {
    try ServiceKitTests.write(certificate, to: directory + "/tls.crt")
    try ServiceKitTests.write(key, to: directory + "/tls.key")
  }
}
