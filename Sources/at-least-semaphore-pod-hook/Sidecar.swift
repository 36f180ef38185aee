import ArgumentParser
import Coordination
import NIOPosix
import PodHook
import ServiceKit

struct Sidecar: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keeps the permit of the Pod that it runs in.",
    subcommands: [Keep.self, SidecarCheck.self], defaultSubcommand: Keep.self,
    // `sidecar --help` is about the default: arguments are Keep's, help among them.
    helpNames: [])

  struct Keep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "keep", abstract: "Takes the permit over and keeps it.",
      usage: """
        at-least-semaphore-pod-hook sidecar <queue-name> <queue-value> [<options>]
        at-least-semaphore-pod-hook sidecar check --probe-address <probe-address> --path <path>
        """,
      discussion: """
        The webhook writes its arguments. `sidecar check` is the probe for Pods on the host's \
        network: see `sidecar check --help`.
        """,
      helpNames: [.short, .long])

    @Argument(help: "The semaphore: <namespace>/<key>.")
    var queueName: String

    @Argument(help: "The permit that the webhook took for this Pod.")
    var queueValue: String

    @OptionGroup var permit: PermitOptions
    @OptionGroup var sidecar: SidecarOptions
    @OptionGroup(title: "Queue") var queue: QueueOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup var hook: HookOptions
    @OptionGroup var logging: LoggingOptions

    func run() async throws {
      var reader = OptionReader()
      let (configuration, address) = sidecar.resolve(
        &reader, claim: .init(key: ("QUEUE_NAME", queueName), token: ("QUEUE_VALUE", queueValue)),
        defaultPort: AtLeastSemaphorePodHook.probePort, environment: ProcessEnvironment.current,
        now: WallClock.now.seconds)
      let stores = StorePair(locks: store, queue: queue, &reader)
      let terms = permit.resolve(&reader, queue: stores.queue)
      _ = hook.resolve(&reader)
      let level = logging.resolve(&reader)
      try reader.finish()

      let telemetry = Telemetry(bootstrap: level, label: "sidecar")
      // A heartbeat now and then and a probe a second: one thread is plenty.
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      let (locks, permits) = stores.make(
        clientName: "at-least-semaphore-pod-sidecar", eventLoopGroup: group,
        logger: telemetry.logger)
      // Only who lost its permit takes another.
      let onDemand = OnDemandLockStore(locks)
      let semaphore = Semaphore(
        store: permits, locks: onDemand, name: AtLeastSemaphorePodHook.name, time: SystemTime())
      let process = try SidecarProcess(
        configuration: configuration, probeAddress: address, stores: [permits, onDemand],
        registry: telemetry.registry, eventLoopGroup: group, logger: telemetry.logger
      ) { effects in
        PermitSidecar(
          configuration: configuration, terms: terms, semaphore: semaphore,
          wallClock: { WallClock.now.seconds }, effects: effects, logger: telemetry.logger)
      }
      try await process.run()
    }
  }
}
