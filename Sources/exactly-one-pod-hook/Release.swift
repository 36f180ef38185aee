import ArgumentParser
import Coordination
import PodHook
import ServiceKit

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Releases a lock by hand.",
    discussion: """
      The Pod that holds it notices at its next renewal and gives up; until then two Pods can run.
      """)

  @Argument(help: "The lock: <namespace>/<key>.")
  var key: String

  @Option(help: "The token that must hold it.")
  var value: String?

  @Flag(help: "Release it whoever holds it.")
  var force = false

  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let lockKey = LockKey.read(key, &reader)
    if (value == nil) == !force {
      reader.reject("value", value: nil, allowed: "either --value TOKEN or --force")
    }
    let inspection = store.inspection(&reader, logging)
    try reader.finish()
    guard let lockKey else { return }
    let token = value.map { LockToken($0) }
    let (reports, result) = try await inspection().withStore { inspection in
      (
        try await inspection.status(lockKey),
        try await inspection.release(lockKey, token: token)
      )
    }
    print(LockReport.table(reports, now: WallClock.now.seconds), terminator: "")
    switch result {
    case .released: print("released")
    case .free: print("was free already")
    case .others:
      throw FatalError("not released: another token holds \(lockKey)")
    }
  }
}
