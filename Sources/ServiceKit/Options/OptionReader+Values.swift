extension OptionReader {
  /// Reads any text.
  package mutating func string(_ name: String, flag: String?, default fallback: String) -> String {
    string(name, flag: flag) ?? fallback
  }

  /// Reads any text that may be missing.
  package mutating func string(_ name: String, flag: String?) -> String? {
    value(name, flag: flag, allowed: "any text") { $0 }
  }

  /// Reads a whole number.
  package mutating func integer(
    _ name: String, flag: String?, default fallback: Int, in range: ClosedRange<Int>
  ) -> Int {
    integer(name, flag: flag, in: range) ?? fallback
  }

  /// Reads a whole number that may be missing.
  package mutating func integer(
    _ name: String, flag: String?, in range: ClosedRange<Int>
  ) -> Int? {
    value(
      name, flag: flag,
      allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)"
    ) { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Reads a switch: from the environment `true`, `false`, `1`, `0`, `yes`, `no`, `on` or `off`.
  package mutating func bool(_ name: String, flag: Bool?, default fallback: Bool) -> Bool {
    value(name, flag: flag.map { $0 ? "true" : "false" }, allowed: "true or false") { text in
      switch text.lowercased() {
      case "true", "1", "yes", "on": true
      case "false", "0", "no", "off": false
      default: nil
      }
    } ?? fallback
  }

  /// Reads a duration such as `1m30s`; see ``Duration/init(text:)``.
  package mutating func duration(
    _ name: String, flag: String?, default fallback: Duration,
    in range: ClosedRange<Duration> = .zero...(.seconds(31_536_000))
  ) -> Duration {
    value(
      name, flag: flag, default: fallback,
      allowed: "a duration such as 1m30s or 500ms, "
        + "from \(range.lowerBound.text) to \(range.upperBound.text)"
    ) { text in
      Duration(text: text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Reads one of the raw values of an enumeration.
  package mutating func choice<Choice>(
    _ name: String, flag: String?, default fallback: Choice
  ) -> Choice where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
    value(
      name, flag: flag, default: fallback,
      allowed: Choice.allCases.map(\.rawValue).joined(separator: ", ")
    ) { Choice(rawValue: $0) }
  }

  /// Reads a comma-separated list of texts, blanks around them ignored.
  package mutating func list(
    _ name: String, flag: String?, default fallback: [String]
  ) -> [String] {
    list(name, flag: flag, default: fallback, of: "texts") { $0 }
  }

  /// Reads a comma-separated list of anything.
  ///
  /// - Parameters:
  ///   - kind: what the entries are, in the plural: "host:port addresses".
  ///   - parse: the value of an entry, `nil` if it is not allowed.
  package mutating func list<Element>(
    _ name: String, flag: String?, default fallback: [Element], of kind: String,
    parse: (String) -> Element?
  ) -> [Element] {
    value(
      name, flag: flag, default: fallback,
      allowed: "\(kind), separated by commas, none empty"
    ) { text in
      var elements: [Element] = []
      for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
        let trimmed = Self.trim(entry)
        guard !trimmed.isEmpty, let element = parse(trimmed) else { return nil }
        elements.append(element)
      }
      return elements
    }
  }

  /// Reads where to listen.
  package mutating func address(
    _ name: String, flag: String?, default fallback: ListenAddress
  ) -> ListenAddress {
    value(name, flag: flag, default: fallback, allowed: ListenAddress.syntax) { ListenAddress($0) }
  }

  static func trim(_ text: Substring) -> String {
    var trimmed = text.drop(while: \.isWhitespace)
    while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
    return String(trimmed)
  }
}
