import ArgumentParser
import Coordination
import PodHook
import ServiceKit

import func Glibc.fflush

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows who holds a lock, and releases it by hand.",
    discussion: """
      Either --value or --force has to be there.
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

  func validate() throws {
    if value == nil, !force {
      throw ValidationError(
        "--value TOKEN or --force is missing: release it if that token holds it, or whoever does.")
    }
    if value != nil, force {
      throw ValidationError("--value and --force exclude each other: leave one of them out.")
    }
  }

  func run() async throws {
    var reader = OptionReader()
    let lockKey = NamespacedKey.read(key, &reader)
    let makeStore = store.reading(&reader, logging)
    try reader.finish()
    guard let lockKey else { return }
    let token = value.map { Token($0) }
    let locks = makeStore()
    let result = try await withRunning([locks]) {
      let inspection = LockInspection(store: locks)
      let report = try await inspection.report(lockKey)
      print(LockReport.table([report], now: WallClock.now.seconds), terminator: "")
      fflush(nil)
      return try await inspection.release(report, token: token)
    }
    switch result {
    case .released: print("released")
    case .free: print("was free already")
    case .others:
      throw FatalError("not released: another token holds \(lockKey)")
    case .taken(let record):
      let pod = record.holder.map { "Pod \($0.displayName)" } ?? "another"
      throw FatalError("not released: \(pod) took \(lockKey) in the meantime")
    }
  }
}
