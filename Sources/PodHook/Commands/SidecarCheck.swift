package import ArgumentParser
import ServiceKit

/// `sidecar check`: the probe for Pods on the host's network.
package struct SidecarCheck: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Asks a probe path of a running sidecar; exits 0 if it says 200.",
    helpNames: [.short, .long])

  @Option(help: "Where the sidecar answers: host:port or unix:@name.")
  var probeAddress: String

  @Option(help: "For example /startupz/<id>.")
  var path: String

  package init() {}

  package func run() async throws {
    var reader = OptionReader()
    let address = reader.address(
      "probe-address", flag: probeAddress, default: .tcp(host: "127.0.0.1", port: 0))
    try reader.finish()
    let (status, body) = try await ProbeCheck(address: address, path: path).ask()
    print("\(status) \(body)")
    if status != 200 { throw ExitWithCode(1) }
  }
}
