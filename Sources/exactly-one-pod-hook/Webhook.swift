import ArgumentParser
import Coordination
import NIOPosix
import PodHook
import ServiceKit

struct Webhook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Admits annotated Pods one by one, and puts the sidecar into them.")

  @OptionGroup var webhook: WebhookOptions
  @OptionGroup(title: "Sidecar") var injection: InjectionOptions
  @OptionGroup(title: "Sidecar") var release: ReleaseOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var hook: HookOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let configuration = webhook.resolve(&reader)
    let storeConfiguration = store.resolve(&reader)
    let template = injection.resolve(
      &reader, image: ExactlyOnePodHook.image, probePort: ExactlyOnePodHook.probePort,
      access: storeConfiguration.sidecarAccess)
    let releaseDelay = release.resolve(&reader)
    let identity = HookIdentity.exactlyOne(variant: hook.resolve(&reader))
    let level = logging.resolve(&reader)
    let traces = OTLPConfiguration(reader: &reader, serviceName: "exactly-one-pod-hook")
    try reader.finish()

    let telemetry = Telemetry(bootstrap: level, label: "webhook", traces: traces)
    storeConfiguration.warn(telemetry.logger)
    template.warn(telemetry.logger)
    let time = SystemTime()
    let lockStore = storeConfiguration.makeStore(
      clientName: "exactly-one-pod-webhook", eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      time: time, logger: telemetry.logger)
    let claims = LockClaims(
      store: lockStore, claimTime: template.isGated ? configuration.claimTime : nil,
      releaseDelay: releaseDelay, wallClock: { WallClock.now.seconds })
    let admission = PodAdmission(
      identity: identity, template: template, claims: claims,
      wallClock: { WallClock.now.seconds })
    let process = try WebhookProcess(
      configuration: configuration, admission: admission, time: time,
      telemetry: telemetry)
    try await process.run()
  }
}
