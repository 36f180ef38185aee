/// Names as they were before Prometheus took UTF-8: `[a-zA-Z_:][a-zA-Z0-9_:]*`, labels without `:`.
enum LegacyName {
  static func accepts(_ name: some Sequence<UInt8>, allowsColon: Bool) -> Bool {
    var isFirst = true
    for byte in name {
      guard accepts(byte, isFirst: isFirst, allowsColon: allowsColon) else { return false }
      isFirst = false
    }
    return !isFirst
  }

  static func accepts(_ byte: UInt8, isFirst: Bool, allowsColon: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"):
      true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
    case UInt8(ascii: ":"): allowsColon
    default: false
    }
  }
}
