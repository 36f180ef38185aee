/// The name of a file or directory: a piece of a key's segment, escaped, with a mark of its kind.
///
/// `=` at the end marks a value. `%` alone is an empty segment. A segment that is too long for one
/// name goes on in a directory of its own, marked `%-` if its next byte comes before the slash that
/// would end the segment, and `%+` if after: so all keys below one name stand together in the order
/// of their bytes.
enum FileName {
  enum Kind: Sendable, Hashable {
    case value
    case directory
    /// Whether its first byte comes before a slash.
    case continuation(low: Bool)
  }

  /// The most bytes that a piece has before its last one. With that one escaped and a mark it is
  /// shorter than the 255 bytes that file systems allow.
  static let fullLength = 248

  /// Appends the names of a segment to a path, and a slash unless it is the last one.
  static func append(_ segment: some Collection<UInt8>, isLast: Bool, to path: inout [UInt8]) {
    var start = path.count
    for byte in segment {
      if path.count - start >= fullLength {
        path.append(UInt8(ascii: "%"))
        path.append(UInt8(ascii: byte < slash ? "-" : "+"))
        path.append(slash)
        start = path.count
      }
      if isPlain(byte) { path.append(byte) } else { appendEscaped(byte, to: &path) }
    }
    // After a long first piece the second could be a dot.
    let piece = path[start...]
    if piece.count <= 2, !piece.isEmpty, piece.allSatisfy({ $0 == dot }) {
      let count = piece.count
      path.removeLast(count)
      for _ in 0..<count { appendEscaped(dot, to: &path) }
    }
    if isLast {
      path.append(valueMark)
    } else {
      if path.count == start { path.append(UInt8(ascii: "%")) }
      path.append(slash)
    }
  }

  /// Appends the piece of a segment that a name stands for.
  ///
  /// - Returns: nil, and what is appended has no meaning, for a name that no key has.
  static func decode(_ name: UnsafeRawBufferPointer, to piece: inout [UInt8]) -> Kind? {
    guard let last = name.last else { return nil }
    if last == valueMark { return unescape(name.dropLast(), to: &piece) ? .value : nil }
    if name.count == 1, last == percent { return .directory }
    if name.count > 2, name[name.count - 2] == percent {
      if last == UInt8(ascii: "-") || last == UInt8(ascii: "+") {
        return unescape(name.dropLast(2), to: &piece)
          ? .continuation(low: last == UInt8(ascii: "-")) : nil
      }
    }
    return unescape(name[...], to: &piece) ? .directory : nil
  }

  private static func unescape(
    _ name: Slice<UnsafeRawBufferPointer>, to piece: inout [UInt8]
  ) -> Bool {
    var index = name.startIndex
    while index < name.endIndex {
      let byte = name[index]
      if byte == percent {
        guard name.endIndex - index > 2, let high = digit(name[index + 1]),
          let low = digit(name[index + 2]), !isPlain(high << 4 | low) || high << 4 | low == dot
        else { return false }
        piece.append(high << 4 | low)
        index += 3
      } else {
        guard isPlain(byte) else { return false }
        piece.append(byte)
        index += 1
      }
    }
    return true
  }

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")
  private static let percent = UInt8(ascii: "%")
  private static let valueMark = UInt8(ascii: "=")

  /// Whether a byte stands for itself in names.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case dot, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
      UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "@"):
      true
    default: false
    }
  }

  private static func appendEscaped(_ byte: UInt8, to path: inout [UInt8]) {
    path.append(percent)
    for digit in [byte >> 4, byte & 0xf] {
      path.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") - 10 + digit)
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
