import HTTPServing
import NIOHTTP1

/// Which pages of other origins may call from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct CrossOrigin: Sendable, Hashable {
  /// `https://example.com` each; empty: none.
  var origins: Set<String> = []
  var allowsAll = false

  private static let methods = "GET, HEAD, POST, PUT, DELETE"
  private static let requestFields =
    "authorization, content-type, if-match, if-none-match, if-modified-since, "
    + "if-unmodified-since, if-range, range, x-kvs-ttl"
  private static let responseFields =
    "accept-ranges, content-length, content-range, etag, last-modified, retry-after, x-kvs-ttl"

  private var isEnabled: Bool { allowsAll || !origins.isEmpty }

  /// Adds what a browser needs to show the answer to a page.
  func add(to head: inout HTTPAnswerHead, origin: String?) {
    guard isEnabled else { return }
    if !allowsAll { head.add("vary", "origin") }
    guard let allowed = allowed(origin) else { return }
    head.add("access-control-allow-origin", allowed)
    head.add("access-control-expose-headers", Self.responseFields)
  }

  /// Adds what a browser asks for before it sends a request.
  func addPreflight(to head: inout HTTPAnswerHead, origin: String?) {
    guard isEnabled, allowed(origin) != nil else { return }
    head.add("access-control-allow-methods", Self.methods)
    head.add("access-control-allow-headers", Self.requestFields)
    head.add("access-control-max-age", 600)
  }

  private func allowed(_ origin: String?) -> String? {
    guard let origin else { return nil }
    return allowsAll ? "*" : origins.contains(origin) ? origin : nil
  }
}
