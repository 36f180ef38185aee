import Logging
import Synchronization

/// Keeps log lines for a test to read.
final class LogCapture: Sendable {
  private let state = Mutex<[String]>([])

  /// Each line as level, message and metadata.
  var lines: [String] { state.withLock { $0 } }

  var handler: any LogHandler { Handler(capture: self) }

  private struct Handler: LogHandler {
    let capture: LogCapture
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let fields = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      capture.state.withLock {
        $0.append("\(event.level): \(event.message) " + fields.joined(separator: " "))
      }
    }
  }
}
