/// The text format of Prometheus, read strictly.
struct Exposition {
  struct Malformed: Error {
    let line: String
  }

  /// Kinds by family name.
  private(set) var kinds: [String: String] = [:]
  /// Values by name and labels as written.
  private(set) var samples: [String: Double] = [:]

  init(_ text: String) throws {
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        let words = line.split(separator: " ")
        guard words.count == 4, kinds[String(words[2])] == nil else {
          throw Malformed(line: String(line))
        }
        kinds[String(words[2])] = String(words[3])
      } else if !line.hasPrefix("# HELP ") {
        try read(sample: line)
      }
    }
  }

  private mutating func read(sample line: Substring) throws {
    let pattern = #/([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{[^{}]*\})?) ([^ ]+)/#
    guard let match = line.wholeMatch(of: pattern), let value = Double(match.3) else {
      throw Malformed(line: String(line))
    }
    let name = String(match.1)
    let families =
      [name]
      + ["_bucket", "_sum", "_count"].compactMap { suffix in
        name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
      }
    let series = name + match.2
    guard families.contains(where: { kinds[$0] != nil }), samples[series] == nil else {
      throw Malformed(line: String(line))
    }
    samples[series] = value
  }

  /// The sum of the samples of a name whose labels contain `label`.
  func sum(_ name: String, _ label: String = "") -> Double {
    samples.reduce(0) { sum, sample in
      let isMeant = sample.key == name || sample.key.hasPrefix("\(name){")
      return isMeant && sample.key.contains(label) ? sum + sample.value : sum
    }
  }
}
