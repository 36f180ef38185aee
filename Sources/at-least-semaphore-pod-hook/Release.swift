import ArgumentParser
import Coordination
import PodHook
import ServiceKit

struct Release: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Puts a Pod's permit back into the queue by hand.",
    discussion: """
      Either --value or --pod has to be there.
      The Pod notices at its next heartbeat, and takes another permit or stops; until then one \
      Pod more can run.
      """)

  @Argument(help: "The semaphore: <namespace>/<key>.")
  var key: String

  @Option(help: "The permit: the second argument of the Pod's sidecar.")
  var value: String?

  @Option(help: "The Pod, as `status` shows it.")
  var pod: String?

  @OptionGroup(title: "Queue") var queue: QueueOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func validate() throws {
    if (value == nil) == (pod == nil) {
      throw ValidationError("exactly one of --value PERMIT and --pod NAME has to be there.")
    }
  }

  func run() async throws {
    var reader = OptionReader()
    let semaphoreKey = NamespacedKey.read(key, &reader)
    let inspecting = Inspecting(store, queue, logging, &reader)
    try reader.finish()
    guard let semaphoreKey else { return }
    let releases = try await inspecting.run { [value, pod] inspection in
      if let value { return [try await inspection.release(semaphoreKey, token: Token(value))] }
      return try await inspection.release(semaphoreKey, pod: pod ?? "")
    }
    var count = 0
    for case .released(let permit) in releases {
      count += 1
      print("released the permit of \(permit.holder.map { "Pod \($0.displayName)" } ?? "no name")")
    }
    if count == 0 {
      let wanted = pod.map { "a permit of Pod \($0)" } ?? "that permit"
      throw FatalError("not released: \(wanted) is not in flight for \(semaphoreKey)")
    }
  }
}
