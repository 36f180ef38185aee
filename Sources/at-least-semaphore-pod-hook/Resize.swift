import ArgumentParser
import Coordination
import PodHook
import ServiceKit

struct Resize: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Changes the number of permits of a semaphore.",
    discussion: """
      A lower number takes effect as holders leave; nobody is stopped. The next Pod that asks for \
      a permit sets the number that its annotation states.
      """)

  @Argument(help: "The semaphore: <namespace>/<key>.")
  var key: String

  @Argument(help: "The number of permits.")
  var length: String

  @OptionGroup(title: "Queue") var queue: QueueOptions
  @OptionGroup(title: "Store") var store: StoreOptions
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    var reader = OptionReader()
    let semaphoreKey = NamespacedKey.read(key, &reader)
    let number = Int(length).flatMap { PermitClaims.lengthRange.contains($0) ? $0 : nil }
    if number == nil {
      reader.rejectArgument(
        "LENGTH", value: length,
        allowed: "a whole number from \(PermitClaims.lengthRange.lowerBound) to "
          + "\(PermitClaims.lengthRange.upperBound)")
    }
    let inspecting = Inspecting(store, queue, logging, &reader)
    try reader.finish()
    guard let semaphoreKey, let number else { return }
    let counts = try await inspecting.run { try await $0.resize(semaphoreKey, to: number) }
    let permits = "\(number) \(number == 1 ? "permit" : "permits")"
    print("\(semaphoreKey): \(permits), \(counts.inFlight) in flight, \(counts.queue) free")
  }
}
