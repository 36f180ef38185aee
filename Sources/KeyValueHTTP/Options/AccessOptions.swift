package import ArgumentParser
import Glibc
import NIOHTTP1
import ServiceKit

/// Who may do what.
package struct AccessOptions: ParsableArguments {
  @Option(help: "JSON file with bearer tokens, their prefixes and rights; read again on change.")
  package var tokensFile: String?

  @Option(help: "A header that a proxy in front sets on requests that it authenticated.")
  package var trustHeader: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Let everybody do everything, also from other machines (default: no).")
  package var allowAnonymous: Bool?

  @Option(help: "Origins whose pages may call from browsers, by commas, or * (default: none).")
  package var corsOrigins: String?

  package init() {}

  func resolve(_ reader: inout OptionReader, _ configuration: inout KeyValueConfiguration) {
    configuration.tokensFile = reader.string("tokens-file", flag: tokensFile)
    configuration.trustedField = reader.value(
      "trust-header", flag: trustHeader, allowed: "the name of a header"
    ) { text in
      let isName = text.utf8.allSatisfy {
        $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || (0x30...0x39).contains($0)
          || (0x61...0x7a).contains($0 | 0x20)
      }
      return isName && !text.isEmpty ? text : nil
    }
    let isOpen = reader.bool("allow-anonymous", flag: allowAnonymous, default: false)
    let origins = reader.list(
      "cors-origins", flag: corsOrigins, default: [],
      of: "origins such as https://example.com, or *"
    ) { $0 == "*" || $0.contains("://") ? $0 : nil }
    configuration.crossOrigin = CrossOrigin(
      origins: Set(origins.filter { $0 != "*" }), allowsAll: origins.contains("*"))
    let isGuarded = configuration.tokensFile != nil || configuration.trustedField != nil
    if !isGuarded, !isOpen, !configuration.address.isLoopback {
      reader.reject(
        "address", value: "\(configuration.address)",
        allowed: "a loopback address, as nothing says who may do what: set --tokens-file or "
          + "--trust-header, or --allow-anonymous if everybody who can connect may do everything")
    }
  }
}

extension ListenAddress {
  /// Whether only this machine can connect.
  var isLoopback: Bool {
    switch self {
    case .unix, .abstract: true
    case .tcp(let host, _): host == "localhost" || Self.isLoopback(host)
    }
  }

  /// A name is not what it looks like: only numbers count.
  private static func isLoopback(_ host: String) -> Bool {
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
    var six = in6_addr()
    guard inet_pton(AF_INET6, host, &six) == 1 else { return false }
    return withUnsafeBytes(of: six) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
  }
}
