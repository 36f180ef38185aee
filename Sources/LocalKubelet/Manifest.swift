package import JSON

/// One object of a manifest file from which Pods come: a Deployment, a Job or a Pod.
package struct Manifest: Sendable {
  package enum Kind: String, Sendable {
    case deployment = "Deployment"
    case job = "Job"
    case pod = "Pod"
  }

  package let kind: Kind
  package let name: String
  package let namespace: String
  /// The whole object as written.
  package let object: JSONValue
  /// The owner of the Pods: the ReplicaSet of a Deployment or the Job.
  let owner: Owner?

  /// Who controls a Pod.
  struct Owner: Sendable {
    let apiVersion: String
    let kind: String
    let name: String
    let uid: String
  }

  /// Takes an object of the API; `defaultNamespace` is for one that names none.
  package init(_ object: JSONValue, defaultNamespace: String = "default") throws {
    guard let kindName = object["kind"]?.string, let kind = Kind(rawValue: kindName) else {
      throw LocalKubeletError(
        .manifest, "kind must be Deployment, Job or Pod, not \(object["kind"]?.string ?? "missing")"
      )
    }
    guard let metadata = object["metadata"], let name = metadata["name"]?.string else {
      throw LocalKubeletError(.manifest, "a \(kindName) needs metadata.name")
    }
    self.kind = kind
    self.name = name
    self.object = object
    namespace = metadata["namespace"]?.string ?? defaultNamespace
    owner =
      switch kind {
      case .deployment:
        Owner(
          apiVersion: "apps/v1", kind: "ReplicaSet", name: "\(name)-\(RandomName.suffix(10))",
          uid: RandomName.uid())
      case .job:
        Owner(apiVersion: "batch/v1", kind: "Job", name: name, uid: RandomName.uid())
      case .pod: nil
      }
    guard template["spec"]?["containers"]?.array?.isEmpty == false else {
      throw LocalKubeletError(.manifest, "\(kindName) \(name) has no containers")
    }
  }

  /// The object that describes the Pods: `spec.template`, or the Pod itself.
  private var template: JSONValue {
    kind == .pod ? object : object["spec"]?["template"] ?? .null
  }

  /// An annotation of the Pods.
  package func annotation(_ key: String) -> String? {
    template["metadata"]?["annotations"]?[key]?.string
  }

  /// The Pod as the API server shows it to admission: no uid, and no name if one is generated.
  package func makePod() -> JSONValue {
    var metadata: JSONValue = ["namespace": .string(namespace)]
    for key in ["labels", "annotations", "finalizers"] {
      if let value = template["metadata"]?[key] { metadata[key] = value }
    }
    if let owner {
      metadata["generateName"] = .string("\(owner.name)-")
      metadata["ownerReferences"] = [
        [
          "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kind),
          "name": .string(owner.name), "uid": .string(owner.uid), "controller": true,
          "blockOwnerDeletion": true,
        ]
      ]
      addControllerLabels(of: owner, to: &metadata)
    } else {
      metadata["name"] = .string(name)
    }
    return [
      "kind": "Pod", "apiVersion": "v1", "metadata": metadata,
      "spec": template["spec"] ?? .null, "status": [:],
    ]
  }

  private func addControllerLabels(of owner: Owner, to metadata: inout JSONValue) {
    var labels = metadata["labels"] ?? [:]
    if kind == .job {
      labels["batch.kubernetes.io/controller-uid"] = .string(owner.uid)
      labels["batch.kubernetes.io/job-name"] = .string(name)
    } else {
      labels["pod-template-hash"] = .string(String(owner.name.dropFirst(name.count + 1)))
    }
    metadata["labels"] = labels
  }
}
