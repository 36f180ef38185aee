import FoundationEssentials
import JSON
import Yams

extension Manifest {
  /// Reads all Deployments, Jobs and Pods of a YAML text with any number of documents; other
  /// kinds are passed over.
  package static func all(parsing yaml: String) throws -> [Manifest] {
    var manifests: [Manifest] = []
    do {
      for node in try Yams.compose_all(yaml: yaml) {
        let object = try JSONValue(yaml: node)
        guard let kind = object["kind"]?.string, Kind(rawValue: kind) != nil else { continue }
        manifests.append(try Manifest(object))
      }
    } catch let error as YamlError {
      throw LocalKubeletError(.manifest, "not valid YAML: \(error)")
    }
    return manifests
  }

  /// Reads the manifests of a file, whose text `rewrite` may change first.
  package static func all(
    inFile path: String, rewrite: (String) -> String = { $0 }
  ) throws -> [Manifest] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw LocalKubeletError(.manifest, "cannot read the manifest \(path)")
    }
    return try all(parsing: rewrite(text))
  }
}

extension JSONValue {
  /// What kubectl would send for a YAML node: quoted scalars are strings, plain ones are resolved.
  init(yaml node: Node) throws {
    switch node {
    case .mapping(let mapping):
      var object = JSONObject()
      for (key, value) in mapping {
        guard case .scalar(let name) = key else {
          throw LocalKubeletError(.manifest, "a key is not a string")
        }
        object[name.string] = try JSONValue(yaml: value)
      }
      self = .object(object)
    case .sequence(let sequence):
      self = .array(try sequence.map { try JSONValue(yaml: $0) })
    case .scalar(let scalar):
      self =
        scalar.style == .plain || scalar.style == .any
        ? JSONValue(plainScalar: scalar.string) : .string(scalar.string)
    case .alias:
      throw LocalKubeletError(.manifest, "YAML aliases are not supported")
    }
  }

  private init(plainScalar text: String) {
    switch text {
    case "", "~", "null": self = .null
    case "true": self = .bool(true)
    case "false": self = .bool(false)
    default:
      if let integer = Int(text) {
        self = .number(String(integer))
      } else if text.first?.isNumber == true, let number = Double(text), number.isFinite {
        self = .number(number.description)
      } else {
        self = .string(text)
      }
    }
  }
}
