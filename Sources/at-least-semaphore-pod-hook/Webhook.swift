import ArgumentParser
import Coordination
import Logging
import NIOPosix
import PodHook
import ServiceKit

struct Webhook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Admits annotated Pods while permits are free, and puts the sidecar into them.")

  @OptionGroup var webhook: WebhookOptions
  @OptionGroup(title: "Sidecar") var injection: InjectionOptions
  @OptionGroup(title: "Sidecar") var heartbeats: HeartbeatOptions
  @OptionGroup(title: "Queue") var queue: QueueOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var hook: HookOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let configuration = webhook.resolve(&reader)
    let stores = StorePair(locks: store, queue: queue, &reader)
    let heartbeatInterval = heartbeats.resolve(&reader, queue: stores.queue)
    let template = injection.resolve(
      &reader, image: AtLeastSemaphorePodHook.image,
      probePort: AtLeastSemaphorePodHook.probePort, access: stores.sidecarAccess)
    let identity = HookIdentity.atLeastSemaphore(variant: hook.resolve(&reader))
    let level = logging.resolve(&reader)
    let traces = OTLPConfiguration(reader: &reader, serviceName: AtLeastSemaphorePodHook.name)
    try reader.finish()

    let telemetry = Telemetry(bootstrap: level, label: "webhook", traces: traces)
    stores.warn(telemetry.logger)
    template.warn(telemetry.logger)
    let time = SystemTime()
    let (locks, permits) = stores.make(
      clientName: "at-least-semaphore-pod-webhook",
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: telemetry.logger)
    let gauges = SemaphoreGauges(store: permits, time: time, logger: telemetry.logger)
    let claims = PermitClaims(
      semaphore: Semaphore(
        store: permits, locks: locks, name: AtLeastSemaphorePodHook.name, time: time),
      locks: locks, claimTime: configuration.claimTime, heartbeatInterval: heartbeatInterval,
      gauges: gauges)
    let admission = PodAdmission(
      identity: identity, template: template, claims: claims,
      wallClock: { WallClock.now.seconds })
    let process = try WebhookProcess(
      configuration: configuration, admission: admission, companions: [gauges], time: time,
      telemetry: telemetry)
    try await process.run()
  }
}
