import RESP
import Synchronization

@testable import RedisClient

/// How commands ended, in that order.
final class Outcomes: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  /// A completion that notes the reply, or the kind of error and whether the command may have run.
  func note(_ name: String) -> @Sendable (PendingCommand.Reply) -> Void {
    { reply in
      let line =
        switch reply {
        case .success(let value): "\(name) = \(value.string ?? "\(value)")"
        case .failure(let error): "\(name): \(error.kind)\(error.mayHaveRun ? ", sent" : "")"
        }
      self.lines.withLock { $0.append(line) }
    }
  }

  func wait(for count: Int) async {
    while all.count < count { await Task.yield() }
  }
}
