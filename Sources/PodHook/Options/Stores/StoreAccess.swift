import FoundationEssentials
import ServiceKit

/// How a client is let in by a store, and how it knows the store: what a mounted Secret may hold.
struct StoreAccess: Sendable {
  var authorityFile: String?
  var certificateFile: String?
  var keyFile: String?
  var username: Secret?
  var password: Secret?

  /// The options as they were given.
  struct Flags {
    let authorityFile: String?
    let certificateFile: String?
    let keyFile: String?
    let passwordFile: String?
    let directory: String?
  }

  init() {}

  /// - Parameter store: what the names of options and variables start with, such as `redis`.
  init(_ store: String, _ flags: Flags, _ reader: inout OptionReader) {
    authorityFile = reader.string("\(store)-ca-file", flag: flags.authorityFile)
    certificateFile = reader.string("\(store)-certificate-file", flag: flags.certificateFile)
    keyFile = reader.string("\(store)-key-file", flag: flags.keyFile)
    username = reader.secret("\(store)-username", file: nil)
    password = reader.secret("\(store)-password", file: flags.passwordFile)
    let name = "\(store)-credentials-directory"
    if let directory = reader.string(name, flag: flags.directory) {
      if FileManager.default.fileExists(atPath: directory) {
        read(directory: directory, store, &reader)
      } else {
        reader.reject(name, value: directory, allowed: "a directory that exists")
      }
    }
    if username != nil, password == nil {
      let variable = "\(store.uppercased())_PASSWORD"
      reader.reject(
        "\(store)-username", value: nil, allowed: "a user together with a password (\(variable))")
    }
  }

  /// Takes what a mounted Secret holds; every file may be missing.
  private mutating func read(directory: String, _ store: String, _ reader: inout OptionReader) {
    func path(_ name: String) -> String? {
      let path = "\(directory)/\(name)"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    if let file = path("username") { username = reader.secret("\(store)-username", file: file) }
    if let file = path("password") { password = reader.secret("\(store)-password", file: file) }
    authorityFile = path("ca.crt") ?? authorityFile
    certificateFile = path("tls.crt") ?? certificateFile
    keyFile = path("tls.key") ?? keyFile
  }

  /// Whether there is anything that only a connection with TLS uses.
  var hasTLSFiles: Bool { authorityFile != nil || certificateFile != nil || keyFile != nil }

  /// Whether a sidecar needs more than its command line to be let in.
  func isNeeded(usesTLS: Bool) -> Bool {
    password != nil || certificateFile != nil || (authorityFile != nil && usesTLS)
  }
}
