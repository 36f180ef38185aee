import Synchronization

/// How many bytes of request bodies are in the process at one time: a few huge requests must not
/// end a webhook on which every guarded Pod depends.
final class BodyBudget: Sendable {
  private let free: Mutex<Int>

  init(bytes: Int) { free = Mutex(bytes) }

  /// Takes bytes out; false if there are not enough.
  func reserve(_ bytes: Int) -> Bool {
    free.withLock { free in
      guard bytes <= free else { return false }
      free -= bytes
      return true
    }
  }

  func giveBack(_ bytes: Int) { free.withLock { $0 += bytes } }
}
