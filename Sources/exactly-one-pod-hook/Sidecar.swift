import ArgumentParser
import Coordination
import NIOPosix
import PodHook
import ServiceKit

struct Sidecar: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keeps the lock of the Pod that it runs in.",
    subcommands: [Keep.self, SidecarCheck.self],
    defaultSubcommand: Keep.self,
    // `sidecar --help` is about the default: arguments are Keep's, help among them.
    helpNames: [])

  struct Keep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "keep", abstract: "Takes the lock over and keeps it.",
      usage: """
        exactly-one-pod-hook sidecar <unlock-key> <unlock-value> [<options>]
        exactly-one-pod-hook sidecar check --probe-address <probe-address> --path <path>
        """,
      discussion: """
        The webhook writes its arguments. `sidecar check` is the probe for Pods on the host's \
        network: see `sidecar check --help`.
        """,
      helpNames: [.short, .long])

    @Argument(help: "The lock: <namespace>/<key>.")
    var unlockKey: String

    @Argument(help: "The token of the claim.")
    var unlockValue: String

    @OptionGroup var lease: LeaseOptions
    @OptionGroup var sidecar: SidecarOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup var hook: HookOptions
    @OptionGroup var logging: LoggingOptions

    func run() async throws {
      var reader = OptionReader()
      let (configuration, address) = sidecar.resolve(
        &reader,
        claim: .init(key: ("UNLOCK_KEY", unlockKey), token: ("UNLOCK_VALUE", unlockValue)),
        defaultPort: ExactlyOnePodHook.probePort, environment: ProcessEnvironment.current,
        now: WallClock.now.seconds)
      let terms = lease.resolve(&reader)
      let storeConfiguration = store.resolve(&reader)
      _ = hook.resolve(&reader)
      let level = logging.resolve(&reader)
      try reader.finish()

      let telemetry = Telemetry(bootstrap: level, label: "sidecar")
      // One connection per store member and a probe a second: one thread is plenty.
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      let locks = storeConfiguration.makeStore(
        clientName: "exactly-one-pod-sidecar", eventLoopGroup: group,
        logger: telemetry.logger)
      let process = try SidecarProcess(
        configuration: configuration, probeAddress: address, stores: [locks],
        registry: telemetry.registry, eventLoopGroup: group, logger: telemetry.logger
      ) { effects in
        LockSidecar(
          configuration: configuration, terms: terms, store: locks,
          wallClock: { WallClock.now.seconds }, effects: effects, logger: telemetry.logger)
      }
      try await process.run()
    }
  }
}
