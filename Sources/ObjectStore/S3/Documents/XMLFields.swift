/// The texts of a small document by the path of their elements: `Error/Code`, without the outermost
/// element. Of several with one path, the first.
struct XMLFields {
  private var texts: [String: String] = [:]
  /// The name of the outermost element.
  private(set) var root = ""

  /// - Throws: also if it is cut off.
  init(_ bytes: some Sequence<UInt8>) throws(XMLError) {
    var reader = XMLReader()
    reader.append(bytes)
    var path: [String] = []
    while let event = try reader.next() {
      switch event {
      case .start(let name):
        if path.isEmpty { root = name }
        path.append(name)
      case .text(let text):
        texts[path.dropFirst().joined(separator: "/"), default: ""] += text
      case .end:
        let key = path.dropFirst().joined(separator: "/")
        if texts[key] == nil { texts[key] = "" }
        path.removeLast()
      }
    }
    guard reader.isComplete else { throw .malformed("the document is cut off") }
  }

  subscript(path: String) -> String? { texts[path] }
}
