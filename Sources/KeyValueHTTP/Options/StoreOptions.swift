package import ArgumentParser
import ObjectStore
package import ServiceKit

/// Where the values live.
package struct StoreOptions: ParsableArguments {
  @Option(help: "s3://bucket, file:///path or a path, or memory: (default: ./data).")
  package var store: String?

  @Option(
    name: .customLong("s3-bucket"), help: "The bucket, where --store does not say it.")
  package var s3Bucket: String?

  @Option(
    name: .customLong("s3-endpoint-url"), help: "A server of S3 that is not AWS, http(s)://host.")
  package var s3EndpointURL: String?

  @Flag(
    name: .customLong("s3-path-style"), inversion: .prefixedNo,
    help: "Name the bucket in the path, not in the host (default: with an endpoint of your own).")
  package var s3PathStyle: Bool?

  @Option(help: "The bucket's region (default: as the AWS SDKs find it, else us-east-1).")
  package var awsRegion: String?

  @Option(help: "Memory for values on their way to S3, for all uploads together (default: 64MiB).")
  package var partMemory: String?

  package init() {}

  /// Notes every fault in `reader`; the result counts only if there was none.
  package func resolve(_ reader: inout OptionReader) -> StoreConfiguration {
    let bucket = reader.value(
      "s3-bucket", flag: s3Bucket, allowed: "the name of a bucket", parse: Self.bucket)
    let named = reader.value(
      "store", flag: store,
      allowed: "s3://bucket, file:///path, a path that begins with / or ., or memory:",
      parse: Self.place)
    let endpoint = reader.value(
      "s3-endpoint-url", flag: s3EndpointURL, allowed: "http://host:port or https://host:port"
    ) { $0.hasPrefix("http://") || $0.hasPrefix("https://") ? $0 : nil }
    let pathStyle = s3PathStyle.map { reader.bool("s3-path-style", flag: $0, default: true) }
    let region = reader.string("aws-region", flag: awsRegion)
    let memory = reader.value(
      "part-memory", flag: partMemory, default: 64 << 20,
      allowed: "a number of bytes from 5MiB to 64GiB, such as 64MiB"
    ) { ByteCount.parse($0).flatMap { (5 << 20...64 << 30).contains($0) ? $0 : nil } }
    guard let name = named?.bucket ?? (named == nil ? bucket : nil) else {
      return StoreConfiguration(place: named ?? .directory("./data"))
    }
    var s3 = S3Configuration(bucket: name)
    s3.endpoint = endpoint
    s3.region = region
    s3.usesPathStyle = pathStyle
    s3.partMemory = memory
    return StoreConfiguration(place: .bucket(name), s3: s3)
  }

  private static func place(_ text: String) -> StoreConfiguration.Place? {
    if text == "memory:" || text == "memory" { return .memory }
    if text.hasPrefix("s3://") {
      return bucket(String(text.dropFirst("s3://".count))).map { .bucket($0) }
    }
    if text.hasPrefix("file://") {
      let path = text.dropFirst("file://".count)
      return path.hasPrefix("/") ? .directory(String(path)) : nil
    }
    return text.hasPrefix("/") || text.hasPrefix(".") ? .directory(text) : nil
  }

  /// Letters, digits, dots, hyphens and, of old ones, underscores; a slash may follow.
  private static func bucket(_ text: String) -> String? {
    let name = text.hasSuffix("/") ? String(text.dropLast()) : text
    let isName = name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) || "-._".utf8.contains($0)
    }
    return isName && (1...255).contains(name.utf8.count) ? name : nil
  }
}
