import ArgumentParser
import Coordination
import PodHook
import ServiceKit

/// All options of the semaphore's `webhook`, as the executable reads them.
struct PermitWebhookCommand: ParsableArguments {
  @OptionGroup var webhook: WebhookOptions
  @OptionGroup var injection: InjectionOptions
  @OptionGroup var heartbeats: HeartbeatOptions
  @OptionGroup var queue: QueueOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var hook: HookOptions

  struct Read {
    let webhook: WebhookConfiguration
    let template: SidecarTemplate
    let heartbeatInterval: Duration
    let queue: QueueConfiguration
    let store: StoreConfiguration
    let faults: [OptionFault]
  }

  static func read(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Read {
    let command = try parse(arguments)
    var reader = OptionReader(environment: environment)
    let webhook = command.webhook.resolve(&reader)
    let store = command.store.resolve(&reader)
    let queue = command.queue.resolve(&reader, store: store)
    let heartbeatInterval = command.heartbeats.resolve(&reader, queue: queue)
    let template = command.injection.resolve(
      &reader, image: "default:1", probePort: 65530,
      access: store.sidecarAccess + queue.sidecarAccess)
    _ = command.hook.resolve(&reader)
    return Read(
      webhook: webhook, template: template, heartbeatInterval: heartbeatInterval, queue: queue,
      store: store, faults: reader.faults)
  }
}

/// All options of the semaphore's `sidecar`.
struct PermitSidecarCommand: ParsableArguments {
  @Argument var queueName: String
  @Argument var queueValue: String
  @OptionGroup var permit: PermitOptions
  @OptionGroup var sidecar: SidecarOptions
  @OptionGroup var queue: QueueOptions
  @OptionGroup var store: StoreOptions
  @OptionGroup var hook: HookOptions

  struct Read {
    let configuration: SidecarConfiguration
    let terms: PermitTerms
    let address: ListenAddress
    let queue: QueueConfiguration
    let store: StoreConfiguration
    let faults: [OptionFault]
  }

  static func read(
    _ arguments: [String], _ environment: [String: String] = SidecarCommand.pod
  ) throws -> Read {
    let command = try parse(arguments)
    var reader = OptionReader(environment: environment)
    let (configuration, address) = command.sidecar.resolve(
      &reader,
      claim: .init(
        key: ("QUEUE_NAME", command.queueName), token: ("QUEUE_VALUE", command.queueValue)),
      defaultPort: 65530, environment: environment, now: 5)
    let store = command.store.resolve(&reader)
    let queue = command.queue.resolve(&reader, store: store)
    let terms = command.permit.resolve(&reader, queue: queue)
    _ = command.hook.resolve(&reader)
    return Read(
      configuration: configuration, terms: terms, address: address, queue: queue, store: store,
      faults: reader.faults)
  }
}

/// What `status`, `release` and `resize` have in common.
struct PermitInspectionCommand: ParsableArguments {
  @Argument var key: String?
  @OptionGroup var queue: QueueOptions
  @OptionGroup var store: StoreOptions

  struct Read {
    let key: NamespacedKey?
    let queue: QueueConfiguration
    let faults: [OptionFault]
  }

  static func read(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Read {
    let command = try parse(arguments)
    var reader = OptionReader(environment: environment)
    let key = NamespacedKey.read(command.key, &reader)
    let store = command.store.resolve(&reader)
    let queue = command.queue.resolve(&reader, store: store)
    return Read(key: key, queue: queue, faults: reader.faults)
  }
}
