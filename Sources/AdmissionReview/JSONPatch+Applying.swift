package import JSON

/// Why a patch could not be applied.
package struct JSONPatchError: Error, CustomStringConvertible {
  package let description: String
}

extension JSONPatch {
  /// Applies a patch as the API server does: all operations in order, or none.
  ///
  /// Knows `add`, `replace`, `remove` and `test`, the operations that admission uses.
  package static func apply(
    _ patch: JSONValue, to document: JSONValue
  ) throws(JSONPatchError) -> JSONValue {
    guard let operations = patch.array else {
      throw JSONPatchError(description: "a patch is an array of operations")
    }
    var result = document
    for operation in operations { try apply(operation: operation, to: &result) }
    return result
  }

  private static func apply(
    operation: JSONValue, to document: inout JSONValue
  ) throws(JSONPatchError) {
    guard let name = operation["op"]?.string, let text = operation["path"]?.string,
      let path = JSONPointer(parsing: text)
    else { throw JSONPatchError(description: "an operation needs op and path") }
    let edit: Edit
    switch (name, operation["value"]) {
    case ("add", let value?): edit = .add(value)
    case ("replace", let value?): edit = .replace(value)
    case ("test", let value?): edit = .test(value)
    case ("remove", _): edit = .remove
    default: throw JSONPatchError(description: "operation \(name) is unknown or has no value")
    }
    guard try edit.perform(at: path.tokens[...], in: &document) else {
      throw JSONPatchError(description: "\(name) \(text) does not fit the document")
    }
  }
}

/// One operation, carried down to the place that it changes.
private enum Edit {
  case add(JSONValue)
  case replace(JSONValue)
  case remove
  case test(JSONValue)

  /// - Returns: false if there is no such place, or a test failed.
  func perform(
    at path: ArraySlice<String>, in node: inout JSONValue
  ) throws(JSONPatchError) -> Bool {
    guard let token = path.first else { return perform(on: &node) }
    let isLast = path.count == 1
    switch node {
    case .object(var object):
      if isLast {
        switch self {
        case .add(let value): object[token] = value
        case .remove:
          guard object[token] != nil else { return false }
          object[token] = nil
        case .replace, .test:
          guard var child = object[token], perform(on: &child) else { return false }
          object[token] = child
        }
      } else {
        guard var child = object[token],
          try perform(at: path.dropFirst(), in: &child)
        else { return false }
        object[token] = child
      }
      node = .object(object)
      return true
    case .array(var elements):
      guard try perform(at: path, token, isLast: isLast, in: &elements) else { return false }
      node = .array(elements)
      return true
    default: return false
    }
  }

  private func perform(
    at path: ArraySlice<String>, _ token: String, isLast: Bool, in elements: inout [JSONValue]
  ) throws(JSONPatchError) -> Bool {
    if isLast, case .add(let value) = self {
      guard let index = token == "-" ? elements.count : Self.index(token),
        index <= elements.count
      else { return false }
      elements.insert(value, at: index)
      return true
    }
    guard let index = Self.index(token), index < elements.count else { return false }
    if isLast, case .remove = self {
      elements.remove(at: index)
      return true
    }
    return isLast
      ? perform(on: &elements[index])
      : try perform(at: path.dropFirst(), in: &elements[index])
  }

  /// For the operations that leave the place where it is.
  private func perform(on node: inout JSONValue) -> Bool {
    switch self {
    case .add(let value), .replace(let value):
      node = value
      return true
    case .test(let value): return node == value
    case .remove: return false
    }
  }

  /// RFC 6901: digits without a leading zero.
  private static func index(_ token: String) -> Int? {
    guard token == "0" || (token.first != "0" && token.allSatisfy { ("0"..."9").contains($0) })
    else { return nil }
    return Int(token)
  }
}
