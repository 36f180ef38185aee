import Crypto

/// The unguessable value that proves a lock: whoever knows it and is bound to it is the holder.
package struct Token: Sendable, Hashable {
  /// Printable, without white space.
  package let text: String

  package init(_ text: String) { self.text = text }

  /// A new token of 128 random bits.
  package static func random() -> Token {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  package static func random(using generator: inout some RandomNumberGenerator) -> Token {
    Token(hex(generator.next() as UInt64) + hex(generator.next() as UInt64))
  }

  /// What may be shown of the token: the first 64 bits of its SHA-256. It names a lock in labels
  /// and probe paths and proves nothing.
  package var publicID: String {
    Self.hex(
      SHA256.hash(data: Array(text.utf8)).prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
  }

  private static func hex(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
