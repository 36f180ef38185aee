package import ArgumentParser
package import Logging

/// The option that every command has for its logs.
package struct LoggingOptions: ParsableArguments {
  @Option(
    name: .customLong("log-level"),
    help: "trace, debug, info, notice, warning, error or critical (default: info).")
  package var logLevel: String?

  package init() {}

  /// Decides the level: `--log-level`, then `LOG_LEVEL`, then info.
  package func resolve(_ reader: inout OptionReader) -> Logger.Level {
    reader.choice("log-level", flag: logLevel, default: .info)
  }
}
