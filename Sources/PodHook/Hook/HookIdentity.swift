/// The names under which one installation of a hook appears in the cluster.
///
/// Two installations in one cluster differ by their variant, which goes into every name.
package struct HookIdentity: Sendable, Hashable {
  /// The domain of the annotations, without variant.
  package let domain: String
  /// The annotation that asks for the hook, without domain.
  package let guardName: String
  /// The name of the injected container, without variant.
  package let sidecarName: String
  /// The executable inside the image.
  package let executable: String
  /// A DNS label, or nil.
  package let variant: String?

  package static func exactlyOne(variant: String?) -> HookIdentity {
    HookIdentity(
      domain: "exactly-one-pod-hook.kaidotio.github.io", guardName: "exactly-one-pod",
      sidecarName: "exactly-one-pod-sidecar", executable: "/exactly-one-pod-hook",
      variant: variant)
  }

  package static func atLeastSemaphore(variant: String?) -> HookIdentity {
    HookIdentity(
      domain: "at-least-semaphore-pod-hook.kaidotio.github.io",
      guardName: "at-least-semaphore-pod", sidecarName: "at-least-semaphore-pod-sidecar",
      executable: "/at-least-semaphore-pod-hook", variant: variant)
  }

  /// The full name of an annotation or label.
  package func name(_ short: String) -> String {
    variant.map { "\($0).\(domain)/\(short)" } ?? "\(domain)/\(short)"
  }

  package var containerName: String { variant.map { "\(sidecarName)-\($0)" } ?? sidecarName }
  package var secretVolumeName: String { "\(containerName)-secret" }

  package var guardAnnotation: String { name(guardName) }
  package var keyAnnotation: String { name("key") }
  package var lengthAnnotation: String { name("length") }
  package var expirationAnnotation: String { name("expiration") }
  package var policyAnnotation: String { name("policy") }
  package var fencingTokenAnnotation: String { name("fencing-token") }
  package var managedLabel: String { name("managed") }
  package var lockIDLabel: String { name("lock-id") }
}
