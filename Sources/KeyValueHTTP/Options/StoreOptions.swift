package import ArgumentParser
package import ServiceKit

/// Where the values live.
package struct StoreOptions: ParsableArguments {
  @Option(help: "s3://bucket, file:///path or a path, or memory: (default: ./data).")
  package var store: String?

  package init() {}

  package func resolve(_ reader: inout OptionReader) -> StoreConfiguration {
    let place = reader.value(
      "store", flag: store, default: StoreConfiguration.Place.directory("./data"),
      allowed: "s3://bucket, file:///path, a path that begins with / or ., or memory:"
    ) { text -> StoreConfiguration.Place? in
      if text == "memory:" || text == "memory" { return .memory }
      if text.hasPrefix("file://") {
        let path = text.dropFirst("file://".count)
        return path.hasPrefix("/") ? .directory(String(path)) : nil
      }
      return text.hasPrefix("/") || text.hasPrefix(".") ? .directory(text) : nil
    }
    return StoreConfiguration(place: place)
  }
}
