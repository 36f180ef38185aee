extension OptionReader {
  /// Reads the first of some environment variables that is set.
  mutating func parse<Value>(
    _ names: String..., allowed: String, parse: (String) -> Value?
  ) -> Value? {
    for name in names {
      guard let text = variable(name) else { continue }
      if let value = parse(text) { return value }
      rejectVariable(name, value: text, allowed: allowed)
      return nil
    }
    return nil
  }

  /// Reads `key=value,…` with percent-encoded values, as W3C baggage without properties.
  mutating func pairs(_ names: String...) -> [(name: String, value: String)] {
    for name in names {
      guard let text = variable(name) else { continue }
      var pairs: [(String, String)] = []
      for part in text.split(separator: ",") {
        let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = Self.trim(halves[0])
        guard halves.count == 2, !key.isEmpty, let value = Self.decode(Self.trim(halves[1])) else {
          // Not the value: headers are secrets.
          rejectVariable(name, value: nil, allowed: "key=value pairs, separated by commas")
          return []
        }
        pairs.append((key, value))
      }
      return pairs
    }
    return []
  }

  private static func decode(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2,
        let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { return nil }
      rest = rest.dropFirst(2)
      bytes.append(code)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
