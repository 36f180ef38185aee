import Glibc

/// The environment of this process.
package enum ProcessEnvironment {
  /// All variables; of those that are set twice, the first.
  package static var current: [String: String] {
    var result: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text)
      if let equals = pair.firstIndex(of: "="), equals > pair.startIndex {
        let name = String(pair[..<equals])
        if result[name] == nil { result[name] = String(pair[pair.index(after: equals)...]) }
      }
      entry += 1
    }
    return result
  }
}
