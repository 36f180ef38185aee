/// Names the type of a value whose client did not: the rules of WHATWG's MIME sniffing for a
/// resource of unknown type (https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type).
///
/// Texts that are UTF-8 as far as they are seen say so, since a type without a charset is read as
/// anything but UTF-8 by some. MP3 without ID3 is not told apart from other bytes.
enum ContentSniffer {
  /// As many bytes as are looked at.
  static let length = 512

  /// - Parameter bytes: the first ``length`` bytes of a value, or all of it.
  static func contentType(of bytes: some Collection<UInt8>) -> String {
    let bytes = Array(bytes.prefix(length))
    if let type = firstMatch(SniffPattern.markup, bytes) {
      return type == "text/xml" || type == "text/html" ? text(type, bytes) : type
    }
    if let type = firstMatch(SniffPattern.marks, bytes) { return type }
    if let type = firstMatch(SniffPattern.media, bytes) { return type }
    if MediaContainers.isMP4(bytes) { return "video/mp4" }
    if MediaContainers.isWebM(bytes) { return "video/webm" }
    if let type = firstMatch(SniffPattern.archives, bytes) { return type }
    return bytes.contains(where: isBinary) ? "application/octet-stream" : text("text/plain", bytes)
  }

  private static func firstMatch(_ patterns: [SniffPattern], _ bytes: [UInt8]) -> String? {
    patterns.first { $0.matches(bytes) }?.type
  }

  private static func text(_ type: String, _ bytes: [UInt8]) -> String {
    isUTF8(bytes) ? "\(type); charset=utf-8" : type
  }

  /// "Binary data byte" of the standard.
  private static func isBinary(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x00...0x08, 0x0b, 0x0e...0x1a, 0x1c...0x1f: true
    default: false
    }
  }

  /// Up to a character that the end may have cut.
  private static func isUTF8(_ bytes: [UInt8]) -> Bool {
    for cut in 0...3 where cut <= bytes.count {
      if cut > 0 {
        guard bytes.count == length, bytes[bytes.count - cut] >= 0x80 else { return false }
      }
      if String(validating: bytes.dropLast(cut), as: UTF8.self) != nil { return true }
    }
    return false
  }
}
