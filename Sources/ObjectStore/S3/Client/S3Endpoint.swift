import HTTPUpstream
import URIEncoding

/// Where a bucket is, and how its objects are named there.
struct S3Endpoint: Sendable {
  let origin: HTTPOrigin
  /// The `Host` field.
  let host: String
  /// Before the name of an object: empty or the bucket's path, without a slash at its end.
  let base: String
  let bucket: String

  /// - Throws: ``ObjectStoreError`` if the endpoint is no address, or the bucket's name is none.
  init(_ configuration: S3Configuration, region: String) throws(ObjectStoreError) {
    bucket = configuration.bucket
    guard (3...255).contains(bucket.utf8.count), bucket.utf8.allSatisfy(\.isBucketCharacter) else {
      throw ObjectStoreError(
        .unavailable, "a bucket's name has 3 to 63 small letters, digits, dots and hyphens")
    }
    let suffix = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    let address = configuration.endpoint ?? "https://s3.\(region).\(suffix)"
    guard let (server, path) = HTTPOrigin.parse(address) else {
      throw ObjectStoreError(
        .unavailable, "the endpoint of S3 has to be an http:// or https:// address with no query")
    }
    let usesPathStyle =
      configuration.usesPathStyle ?? (configuration.endpoint != nil || bucket.contains("."))
    if usesPathStyle {
      origin = server
      base = "\(path)/\(bucket)"
    } else {
      origin = HTTPOrigin(
        usesTLS: server.usesTLS, host: "\(bucket).\(server.host)", port: server.port)
      base = path
    }
    host = origin.authority
  }

  /// The path of an object, or of the bucket, as it is sent and signed.
  func path(of key: ObjectKey?) -> String {
    guard let key else { return base.isEmpty ? "/" : base }
    var path = Array(base.utf8)
    path.reserveCapacity(path.count + 1 + key.text.utf8.count)
    path.append(UInt8(ascii: "/"))
    PercentEncoding.append(key.text, keepsSlash: true, to: &path)
    return String(decoding: path, as: UTF8.self)
  }
}

extension UInt8 {
  /// Old buckets and those of other servers may have capitals and underscores.
  fileprivate var isBucketCharacter: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
