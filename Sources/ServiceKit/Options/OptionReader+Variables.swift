import URIEncoding

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
        guard halves.count == 2, !key.isEmpty,
          let value = PercentEncoding.decodeText(Self.trim(halves[1]).utf8)
        else {
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
}
