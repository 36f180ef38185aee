import ArgumentParser
import Coordination
import NIOPosix
import PodHook
import ServiceKit

struct Sidecar: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keeps the lock of the Pod that it runs in.", subcommands: [Keep.self, Check.self],
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

    @OptionGroup var sidecar: SidecarOptions
    @OptionGroup(title: "Store") var store: StoreOptions
    @OptionGroup var hook: HookOptions
    @OptionGroup var logging: LoggingOptions

    func run() async throws {
      var reader = OptionReader()
      let (configuration, address) = sidecar.resolve(
        &reader, defaultPort: ExactlyOnePodHook.probePort,
        environment: ProcessEnvironment.current, now: WallClock.now.seconds)
      let storeConfiguration = store.resolve(&reader)
      _ = hook.resolve(&reader)
      let level = logging.resolve(&reader)
      try reader.finish()

      let telemetry = Telemetry(bootstrap: level, label: "sidecar")
      // One connection per store member and a probe a second: one thread is plenty.
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      let lockStore = storeConfiguration.makeStore(
        clientName: "exactly-one-pod-sidecar", eventLoopGroup: group,
        logger: telemetry.logger)
      let process = try SidecarProcess(
        configuration: configuration, probeAddress: address, store: lockStore,
        registry: telemetry.registry, eventLoopGroup: group, logger: telemetry.logger)
      try await process.run()
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Asks a probe path of a running sidecar; exits 0 if it says 200.",
      helpNames: [.short, .long])

    @Option(help: "Where the sidecar answers: host:port or unix:@name.")
    var probeAddress: String

    @Option(help: "For example /startupz/<id>.")
    var path: String

    func run() async throws {
      var reader = OptionReader()
      let address = reader.address(
        "probe-address", flag: probeAddress, default: .tcp(host: "127.0.0.1", port: 0))
      try reader.finish()
      let (status, body) = try await ProbeCheck(address: address, path: path).ask()
      print("\(status) \(body)")
      if status != 200 { throw ExitWithCode(1) }
    }
  }
}
