package import ArgumentParser
import PrometheusText
package import ServiceKit

/// The options of the merger, apart from the log's.
package struct MergerOptions: ParsableArguments {
  @Option(help: "The port to serve /metrics and /healthz on; also MERGER_PORT (default: 8080).")
  package var port: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "A source: \(SourceAddress.syntax). Repeat it, or separate several by spaces; also "
        + "MERGER_URLS.", valueName: "url"))
  package var url: [String] = []

  @Option(
    help: "How long a source may take (default: 90 % of what the scraper waits, else 10s).")
  package var timeout: String?

  @Option(help: "The largest answer of a source, in bytes (default: 67108864).")
  package var maxBodyBytes: String?

  @Option(
    help: "The most bytes of all sources in all answers under way (default: 268435456).")
  package var maxTotalBytes: String?

  @Option(help: "The label that names a sample's source; empty: none (default: merger_url).")
  package var sourceLabel: String?

  @Option(help: "How long answers may take to end after SIGTERM (default: 10s).")
  package var terminationGracePeriod: String?

  @Option(help: "How long to serve on after SIGTERM (default: 1s).")
  package var lameduck: String?

  @Option(
    name: .customLong("http-keepalive"),
    help: "Keep connections of scrapers: true or false (default: true).")
  package var httpKeepalive: String?

  package init() {}

  /// - Parameter environment: where `MERGER_PORT` and `MERGER_URLS` are looked up.
  package func resolve(
    _ reader: inout OptionReader, environment: [String: String] = ProcessEnvironment.current
  ) -> MergerConfiguration {
    MergerConfiguration(
      port: port(&reader, environment), sources: sources(&reader, environment),
      timeout: reader.value(
        "timeout", flag: timeout, allowed: "a duration such as 5s or 500ms, from 1ms to 1h"
      ) { text in
        Duration(text: text).flatMap {
          (Duration.milliseconds(1)...(.seconds(3600))).contains($0) ? $0 : nil
        }
      },
      maximumBodyBytes: reader.integer(
        "max-body-bytes", flag: maxBodyBytes, default: 64 << 20, in: 1024...(1 << 30)),
      maximumTotalBytes: reader.integer(
        "max-total-bytes", flag: maxTotalBytes, default: 256 << 20, in: 1024...(1 << 40)),
      sourceLabel: reader.value(
        "source-label", flag: sourceLabel, default: MergerConfiguration.sourceLabel,
        allowed: "a label name: letters, digits and '_', no digit in front, not '__' in front; "
          + "not 'le' and not 'quantile'; or nothing"
      ) { text in
        let isName =
          (try? MetricLabel(text, "")) != nil && !text.hasPrefix("__")
          && !FamilyKind.allCases.contains { $0.boundLabel == text }
        return text.isEmpty || isName ? text : nil
      },
      terminationGracePeriod: reader.duration(
        "termination-grace-period", flag: terminationGracePeriod, default: .seconds(10)),
      lameDuck: reader.duration(
        "lameduck", flag: lameduck, default: .seconds(1), in: .zero...(.seconds(300))),
      keepsAlive: reader.value(
        "http-keepalive", flag: httpKeepalive, default: true, allowed: "true or false"
      ) { text in
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
      })
  }

  private func port(_ reader: inout OptionReader, _ environment: [String: String]) -> Int {
    let fallback = 8080
    // Kubernetes sets it to an address where there is a Service named `merger`.
    guard port == nil, let text = environment["MERGER_PORT"], !text.isEmpty,
      !text.hasPrefix("tcp://")
    else {
      return reader.integer("port", flag: port, default: fallback, in: 0...65535)
    }
    if let port = Int(text), (0...65535).contains(port) { return port }
    reader.rejectVariable(
      "MERGER_PORT", value: text, allowed: "a whole number from 0 to 65535")
    return fallback
  }

  private func sources(
    _ reader: inout OptionReader, _ environment: [String: String]
  ) -> [Source] {
    let isFlag = !url.isEmpty
    let texts = isFlag ? url : [environment["MERGER_URLS"] ?? ""]
    let words = texts.flatMap { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    if words.isEmpty {
      reader.reject("url", value: nil, allowed: "at least one source, also in MERGER_URLS")
    }
    var addresses: [SourceAddress] = []
    for word in words {
      if let address = SourceAddress(word) {
        addresses.append(address)
      } else {
        // Not the value: there may be a password in it.
        let allowed = SourceAddress.syntax
        if isFlag {
          reader.reject("url", value: nil, allowed: allowed)
        } else {
          reader.rejectVariable("MERGER_URLS", value: nil, allowed: allowed)
        }
      }
    }
    return Source.all(addresses)
  }
}
