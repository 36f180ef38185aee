/// A store whose operations can be made to fail or to take long, and that remembers what was asked
/// of it.
protocol Scripted: Sendable {
  associatedtype Operation: Hashable, Sendable
  var script: CallScript<Operation> { get }
}

extension Scripted {
  /// What was asked so far, in order.
  var calls: [Operation] { script.calls }

  func fail(_ operations: Operation...) { script.fail(operations) }

  /// Lets operations take effect, but loses the answers.
  func loseAnswers(to operations: Operation...) { script.loseAnswers(to: operations) }

  /// Ends failures and losses.
  func recover() { script.recover() }

  /// Runs in front of every operation, also those that fail.
  func before(_ hook: @escaping @Sendable (Operation) -> Void) { script.before(hook) }

  /// Holds an operation up, before it takes effect.
  func hold(_ operation: Operation) { script.hold(operation) }

  /// Lets go of what is held up.
  func letGo() { script.letGo() }

  /// Waits until the operation has been asked for, so many times since the beginning.
  func called(_ operation: Operation, times: Int = 1) async {
    await script.called(operation, times: times)
  }

  /// Waits until the caller of an operation that is held up has been cancelled.
  func cancelled(_ operation: Operation) async { await script.cancelled(operation) }
}
