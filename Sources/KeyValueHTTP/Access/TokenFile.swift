import Glibc
package import Logging
import Metrics
package import ServiceKit
import ServiceLifecycle
import Synchronization

/// The tokens of a file, read again when the file changes.
///
/// It is looked at while ``run()`` runs, and when somebody shows a token that is not known. A new
/// file that cannot be used changes nothing but logs and metrics: the tokens from before hold on.
package final class TokenFile: Service, CustomStringConvertible {
  /// What tells one version of the file from another.
  private struct Stamp: Equatable {
    var device: UInt = 0
    var inode: UInt = 0
    var size = 0
    var seconds = 0
    var nanoseconds = 0
  }

  private struct State {
    var table: TokenTable
    var stamp: Stamp
  }

  private let path: String
  private let interval: Duration
  private let logger: Logger
  private let state: Mutex<State>
  private let failures = Counter(label: "kvs_tokens_file_errors_total")

  /// - Throws: if the file cannot be used.
  package init(
    path: String, interval: Duration = .milliseconds(500), logger: Logger
  ) throws(FatalError) {
    self.path = path
    self.interval = interval
    self.logger = logger
    // The stamp first: what changes in between is read again.
    let stamp = Self.stamp(path)
    do {
      state = Mutex(State(table: try Self.read(path), stamp: stamp))
    } catch {
      throw FatalError("the tokens file \(path) cannot be used: \(error)", cause: error)
    }
  }

  package var description: String { "tokens file" }

  package func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      while (try? await Task.sleep(for: interval)) != nil { refresh() }
    }
  }

  /// What a token allows; empty: it is unknown, also to the file as it is now.
  func grants(of token: String) -> [TokenTable.Grant] {
    let grants = state.withLock { $0.table }.grants(of: token)
    guard grants.isEmpty, refresh() else { return grants }
    return state.withLock { $0.table }.grants(of: token)
  }

  /// Reads the file if it is another.
  ///
  /// - Returns: whether there are new tokens.
  @discardableResult
  private func refresh() -> Bool {
    let stamp = Self.stamp(path)
    guard state.withLock({ $0.stamp != stamp }) else { return false }
    do throws(TokenTable.Fault) {
      let table = try Self.read(path)
      state.withLock { $0 = State(table: table, stamp: stamp) }
      logger.notice("Tokens read again")
      return true
    } catch {
      state.withLock { $0.stamp = stamp }
      failures.increment()
      logger.error(
        "The tokens file cannot be used, those from before hold on",
        metadata: ["path": "\(path)", "reason": "\(error)"])
      return false
    }
  }

  private static func read(_ path: String) throws(TokenTable.Fault) -> TokenTable {
    let bytes: [UInt8]
    do throws(SmallFile.Failure) {
      bytes = try SmallFile.read(path, limit: TokenTable.maximumBytes)
    } catch {
      throw TokenTable.Fault(error.reason)
    }
    return try TokenTable(parsing: bytes)
  }

  private static func stamp(_ path: String) -> Stamp {
    var information = stat()
    guard stat(path, &information) == 0 else { return Stamp() }
    return Stamp(
      device: UInt(information.st_dev), inode: UInt(information.st_ino),
      size: Int(information.st_size), seconds: information.st_mtim.tv_sec,
      nanoseconds: information.st_mtim.tv_nsec)
  }
}
