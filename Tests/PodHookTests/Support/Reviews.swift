import AdmissionReview
import Foundation
import JSON

/// AdmissionReviews: recorded ones, and such as tests need.
enum Reviews {
  /// What a real API server sent (Kubernetes 1.36).
  static func recorded(_ name: String) throws -> JSONValue {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.deletingLastPathComponent()
      .appending(path: "AdmissionReviewTests/Fixtures/\(name).json")
    return try JSONValue(parsing: Array(Data(contentsOf: file)))
  }

  /// The creation of `pod`, or what `fields` of the request make of it.
  static func creation(of pod: JSONValue, _ fields: [String: JSONValue] = [:]) -> JSONValue {
    var request: JSONValue = [
      "uid": "7ca711dc-de3b-4f06-9fe2-75c33e8420a4",
      "kind": ["group": "", "version": "v1", "kind": "Pod"],
      "namespace": "demo", "operation": "CREATE",
    ]
    request["object"] = pod
    for (name, value) in fields { request[name] = value }
    var review: JSONValue = ["kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"]
    review["request"] = request
    return review
  }

  static func request(_ review: JSONValue) throws -> AdmissionRequest {
    try AdmissionRequest(parsing: review.encoded)
  }
}

/// A Pod as it is sent, with the annotations of the hook unless they are taken away.
enum Pods {
  static let domain = "exactly-one-pod-hook.kaidotio.github.io"

  static func pod(
    name: String? = "app-0", key: String = "k", expiration: String = "60",
    annotations: [String: JSONValue?] = [:], labels: [String: String]? = nil,
    owner: String? = nil, spec: [String: JSONValue] = [:], variant: String? = nil
  ) -> JSONValue {
    let prefix = variant.map { "\($0).\(domain)" } ?? domain
    var notes: JSONValue = [:]
    notes["\(prefix)/exactly-one-pod"] = "true"
    notes["\(prefix)/key"] = .string(key)
    notes["\(prefix)/expiration"] = .string(expiration)
    for (name, value) in annotations {
      notes[name.contains("/") ? name : "\(prefix)/\(name)"] = value
    }
    var metadata: JSONValue = ["namespace": "demo"]
    if let name { metadata["name"] = .string(name) } else { metadata["generateName"] = "app-" }
    metadata["annotations"] = notes
    if let labels {
      metadata["labels"] = [:]
      for (name, value) in labels { metadata["labels"]?[name] = .string(value) }
    }
    if let owner {
      metadata["ownerReferences"] = [
        ["kind": "ReplicaSet", "name": .string(owner), "uid": "u", "controller": true]
      ]
    }
    var pod: JSONValue = ["kind": "Pod", "apiVersion": "v1"]
    pod["metadata"] = metadata
    pod["spec"] = ["containers": [["name": "app", "image": "nginx"]]]
    for (name, value) in spec { pod["spec"]?[name] = value }
    return pod
  }

  /// As another container, with what `fields` say.
  static func container(_ name: String, _ fields: [String: JSONValue] = [:]) -> JSONValue {
    var container: JSONValue = ["image": .string("example.test/\(name):1")]
    container["name"] = .string(name)
    for (field, value) in fields { container[field] = value }
    return container
  }
}

extension JSONValue {
  subscript(index: Int) -> JSONValue? {
    guard let array, array.indices.contains(index) else { return nil }
    return array[index]
  }

  /// The places where this value is another than `other`: what a failing test should show.
  func differences(from other: JSONValue, at path: String = "") -> [String] {
    if self == other { return [] }
    if let mine = object, let theirs = other.object {
      let names = mine.members.map(\.key) + theirs.members.map(\.key).filter { mine[$0] == nil }
      return names.flatMap { name in
        switch (mine[name], theirs[name]) {
        case (let left?, let right?): left.differences(from: right, at: "\(path)/\(name)")
        case (nil, _): ["\(path)/\(name) is missing"]
        case (_, nil): ["\(path)/\(name) is too much"]
        }
      }
    }
    if let mine = array, let theirs = other.array, mine.count == theirs.count {
      return zip(mine, theirs).enumerated().flatMap { index, pair in
        pair.0.differences(from: pair.1, at: "\(path)/\(index)")
      }
    }
    let text = String(decoding: encoded, as: UTF8.self)
    return ["\(path): \(text) instead of \(String(decoding: other.encoded, as: UTF8.self))"]
  }

  /// The container called `name`, in either list.
  func container(_ name: String) -> JSONValue? {
    let spec = self["spec"]
    return ((spec?["initContainers"]?.array ?? []) + (spec?["containers"]?.array ?? []))
      .first { $0["name"]?.string == name }
  }

  func names(of list: String) -> [String] {
    (self["spec"]?[list]?.array ?? []).map { $0["name"]?.string ?? "" }
  }

  func annotation(_ name: String) -> String? {
    self["metadata"]?["annotations"]?[name]?.string
  }

  func label(_ name: String) -> String? { self["metadata"]?["labels"]?[name]?.string }

  /// The value after a flag in the arguments of a container.
  func argument(_ flag: String) -> String? {
    let arguments = (self["args"]?.array ?? []).map { $0.string ?? "" }
    guard let index = arguments.firstIndex(of: flag), index + 1 < arguments.count else {
      return nil
    }
    return arguments[index + 1]
  }
}
