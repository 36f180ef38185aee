import Glibc
import NIOSSL

/// A certificate and its key in a directory, as Kubernetes mounts a TLS Secret.
struct CertificateFiles: Sendable {
  /// Tells one version of the files from the next, also when `..data` is swapped underneath.
  struct Fingerprint: Hashable, Sendable {
    fileprivate var numbers: [Int]
  }

  let directory: String

  var certificate: String { directory + "/tls.crt" }
  var key: String { directory + "/tls.key" }

  /// The largest file that is read, in bytes.
  private static let largest = 1 << 20

  /// `nil` while a file is missing.
  var fingerprint: Fingerprint? {
    var numbers: [Int] = []
    for path in [certificate, key] {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      numbers += [
        Int(status.st_dev), Int(truncatingIfNeeded: status.st_ino), Int(status.st_size),
        status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
      ]
    }
    return Fingerprint(numbers: numbers)
  }

  static func read(_ path: String) throws(FatalError) -> [UInt8] {
    do {
      return try SmallFile.read(path, limit: largest)
    } catch {
      throw FatalError(
        "cannot read \(path) (\(error.reason)): mount a Secret with tls.crt and tls.key there, "
          + "or name another directory",
        code: .certificates, cause: error)
    }
  }

  /// The CA certificates of a file; at least one.
  static func authorities(inFile path: String) throws(FatalError) -> [NIOSSLCertificate] {
    let bytes: [UInt8]
    do {
      bytes = try SmallFile.read(path, limit: largest)
    } catch {
      throw FatalError(
        "cannot read the client CA file \(path) (\(error.reason))", code: .certificates,
        cause: error)
    }
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty
    else {
      throw FatalError(
        "the client CA file \(path) holds no certificate in PEM form", code: .certificates)
    }
    return certificates
  }
}
