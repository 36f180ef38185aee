/// The random parts of Kubernetes names.
enum RandomName {
  /// The letters that Kubernetes uses: no vowels, nothing that looks like something else.
  private static let letters = Array("bcdfghjklmnpqrstvwxz2456789")

  static func suffix(_ count: Int = 5) -> String {
    String((0..<count).map { _ in letters.randomElement() ?? "x" })
  }

  /// A version 4 UUID (RFC 9562).
  static func uid() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      let digits = String(byte, radix: 16)
      text += digits.count == 1 ? "0\(digits)" : digits
    }
    return text
  }
}
