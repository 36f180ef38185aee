import JSON

/// The parts of the container that are the same in every Pod, as JSON.
extension SidecarContainer {
  /// Who the Pod is, from the downward API.
  static let environment: [UInt8] = {
    let fields = [
      ("POD_UID", "metadata.uid"), ("POD_NAME", "metadata.name"),
      ("POD_NAMESPACE", "metadata.namespace"), ("NODE_NAME", "spec.nodeName"),
    ]
    var list = JSONWriter()
    list.beginArray()
    for (name, path) in fields {
      list.object { variable in
        variable.field("name", name)
        variable.object("valueFrom") { $0.object("fieldRef") { $0.field("fieldPath", path) } }
      }
    }
    list.endArray()
    return list.bytes
  }()

  /// The fence `restart-all`.
  static let restartPolicyRules: [UInt8] = {
    var rules = JSONWriter()
    rules.beginArray()
    rules.object { rule in
      rule.field("action", "RestartAllContainers")
      rule.object("exitCodes") { codes in
        codes.field("operator", "In")
        codes.array("values") { $0.integer(Fence.exitCode) }
      }
    }
    rules.endArray()
    return rules.bytes
  }()

  /// The Pod Security Standard "restricted".
  static let securityContext: [UInt8] = {
    var writer = JSONWriter()
    writer.object { security in
      security.field("allowPrivilegeEscalation", false)
      security.object("capabilities") { $0.array("drop") { $0.string("ALL") } }
      security.field("privileged", false)
      security.field("readOnlyRootFilesystem", true)
      security.field("runAsGroup", 65532)
      security.field("runAsNonRoot", true)
      security.field("runAsUser", 65532)
      security.object("seccompProfile") { $0.field("type", "RuntimeDefault") }
    }
    return writer.bytes
  }()
}
