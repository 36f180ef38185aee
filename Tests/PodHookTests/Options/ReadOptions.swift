import ArgumentParser
import Coordination
import PodHook
import ServiceKit
import Testing

/// All options of `webhook`, as the executable reads them.
struct WebhookCommand: ParsableArguments {
  @OptionGroup var webhook: WebhookOptions
  @OptionGroup var injection: InjectionOptions
  @OptionGroup var release: ReleaseOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var hook: HookOptions

  struct Read {
    let webhook: WebhookConfiguration
    let template: SidecarTemplate
    let releaseDelay: Duration
    let store: StoreConfiguration
    let variant: String?
    let faults: [OptionFault]
  }

  static func read(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Read {
    let command = try parse(arguments)
    var reader = OptionReader(environment: environment)
    let webhook = command.webhook.resolve(&reader)
    let store = command.store.resolve(&reader)
    let template = command.injection.resolve(
      &reader, image: "default:1", probePort: 65531, access: store.sidecarAccess)
    let releaseDelay = command.release.resolve(&reader)
    let variant = command.hook.resolve(&reader)
    return Read(
      webhook: webhook, template: template, releaseDelay: releaseDelay, store: store,
      variant: variant, faults: reader.faults)
  }
}

/// All options of `sidecar`.
struct SidecarCommand: ParsableArguments {
  @Argument var unlockKey: String
  @Argument var unlockValue: String
  @OptionGroup var lease: LeaseOptions
  @OptionGroup var sidecar: SidecarOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var hook: HookOptions

  static let pod = ["POD_UID": "uid-0", "POD_NAME": "app-0", "NODE_NAME": "node-1"]

  struct Read {
    let configuration: SidecarConfiguration
    let terms: LeaseTerms
    let address: ListenAddress
    let store: StoreConfiguration
    let faults: [OptionFault]
  }

  static func read(
    _ arguments: [String], _ environment: [String: String] = pod
  ) throws -> Read {
    let command = try parse(arguments)
    var reader = OptionReader(environment: environment)
    let (configuration, address) = command.sidecar.resolve(
      &reader,
      claim: .init(
        key: ("UNLOCK_KEY", command.unlockKey), token: ("UNLOCK_VALUE", command.unlockValue)),
      defaultPort: 65531, environment: environment, now: 5)
    let terms = command.lease.resolve(&reader)
    let store = command.store.resolve(&reader)
    _ = command.hook.resolve(&reader)
    return Read(
      configuration: configuration, terms: terms, address: address, store: store,
      faults: reader.faults)
  }
}

extension OptionReader {
  /// What `finish()` would say.
  var faults: [OptionFault] {
    do throws(UsageError) {
      try finish()
      return []
    } catch {
      return error.faults
    }
  }
}
