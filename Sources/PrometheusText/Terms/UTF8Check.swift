/// Whether bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong).
enum UTF8Check {
  static func accepts(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    var index = 0
    while index < count {
      let byte = bytes[index]
      index += 1
      if byte < 0x80 { continue }
      var range: ClosedRange<UInt8> = 0x80...0xBF
      let more: Int
      switch byte {
      case 0xC2...0xDF: more = 1
      case 0xE0: (more, range) = (2, 0xA0...0xBF)
      case 0xED: (more, range) = (2, 0x80...0x9F)
      case 0xE1...0xEF: more = 2
      case 0xF0: (more, range) = (3, 0x90...0xBF)
      case 0xF1...0xF3: more = 3
      case 0xF4: (more, range) = (3, 0x80...0x8F)
      default: return false
      }
      guard index + more <= count else { return false }
      for position in index..<index + more {
        guard range.contains(bytes[position]) else { return false }
        range = 0x80...0xBF
      }
      index += more
    }
    return true
  }
}
