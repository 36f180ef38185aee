import JSON
import PodHook

extension Pods {
  static let permitDomain = HookIdentity.atLeastSemaphore(variant: nil).domain

  /// A Pod with the annotations of the semaphore's hook, in place of those of the other.
  static func permitPod(
    name: String? = "app-0", key: String = "k", length: String = "2", expiration: String = "10",
    annotations: [String: JSONValue?] = [:], labels: [String: String]? = nil,
    owner: String? = nil, spec: [String: JSONValue] = [:], variant: String? = nil
  ) -> JSONValue {
    let identity = HookIdentity.atLeastSemaphore(variant: variant)
    var notes: [String: JSONValue?] = ["exactly-one-pod": nil, "key": nil, "expiration": nil]
    notes[identity.guardAnnotation] = "true"
    notes[identity.keyAnnotation] = .string(key)
    notes[identity.lengthAnnotation] = .string(length)
    notes[identity.expirationAnnotation] = .string(expiration)
    for (name, value) in annotations {
      notes.updateValue(value, forKey: name.contains("/") ? name : identity.name(name))
    }
    return pod(name: name, annotations: notes, labels: labels, owner: owner, spec: spec)
  }
}
