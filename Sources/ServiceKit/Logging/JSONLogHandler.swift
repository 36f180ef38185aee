package import Logging

/// Writes each log event as one line of JSON.
///
/// `{"time":"2026-11-21T09:00:00.123Z","level":"info","message":"…","logger":"…",…}`: metadata
/// follows as members of the same object, sorted by key. A key that the line itself uses gets the
/// prefix `metadata_`. Lines end at 16 KiB; what does not fit is cut and `"truncated":true` says so.
package struct JSONLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  package var logLevel: Logger.Level

  private let label: String
  private let sink: LogSink

  package init(
    label: String, level: Logger.Level = .info, sink: LogSink = .standardError,
    metadataProvider: Logger.MetadataProvider? = nil
  ) {
    self.label = label
    self.logLevel = level
    self.sink = sink
    self.metadataProvider = metadataProvider
  }

  /// Makes this the handler of all loggers of the process, with the trace of the current task in
  /// every line. Call it once, before the first logger is made.
  package static func bootstrap(level: Logger.Level, sink: LogSink = .standardError) {
    LoggingSystem.bootstrap(
      { label, provider in
        JSONLogHandler(label: label, level: level, sink: sink, metadataProvider: provider)
      }, metadataProvider: .traceContext)
  }

  package func log(event: LogEvent) {
    sink.write(
      LogLine.encode(
        event, label: label, metadata: merged(with: event.metadata), time: LogTimestamp.now()))
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// The event's metadata wins over the provider's, and that over the logger's.
  private func merged(with event: Logger.Metadata?) -> Logger.Metadata {
    var result = metadata
    if let provided = metadataProvider?.get(), !provided.isEmpty {
      result.merge(provided) { _, new in new }
    }
    guard let event, !event.isEmpty else { return result }
    if result.isEmpty { return event }
    result.merge(event) { _, new in new }
    return result
  }
}
