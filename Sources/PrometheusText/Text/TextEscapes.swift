/// The escapes `\\`, `\"` and `\n`; a backslash before anything else stands for itself.
enum TextEscapes {
  /// Gives the bytes of a text with its escapes.
  ///
  /// - Parameter quotes: false where a quote needs no escape, as in help of text 0.0.4.
  static func escape(_ text: String, quotes: Bool, to append: (UInt8) -> Void) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append(UInt8(ascii: "\\"))
      case UInt8(ascii: "\n"):
        append(UInt8(ascii: "\\"))
        append(UInt8(ascii: "n"))
        continue
      case UInt8(ascii: "\"") where quotes: append(UInt8(ascii: "\\"))
      default: break
      }
      append(byte)
    }
  }

  /// - Parameters:
  ///   - bytes: valid UTF-8.
  ///   - quotes: false where a quote needs no escape, as in help of text 0.0.4.
  static func resolve(_ bytes: UnsafeBufferPointer<UInt8>, quotes: Bool = true) -> String {
    guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    resolve(bytes, quotes: quotes, into: &result)
    return String(decoding: result, as: UTF8.self)
  }

  /// Adds the bytes that are meant.
  static func resolve(
    _ bytes: UnsafeBufferPointer<UInt8>, quotes: Bool = true, into result: inout [UInt8]
  ) {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      guard byte == UInt8(ascii: "\\"), index < bytes.count else {
        result.append(byte)
        continue
      }
      switch bytes[index] {
      case UInt8(ascii: "\\"): result.append(byte)
      case UInt8(ascii: "\"") where quotes: result.append(UInt8(ascii: "\""))
      case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
      default:
        result.append(byte)
        continue
      }
      index += 1
    }
  }
}
