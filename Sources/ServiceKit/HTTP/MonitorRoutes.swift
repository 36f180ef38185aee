import NIOHTTP1

/// Which handler answers which path of a ``MonitorServer``.
package struct MonitorRoutes: Sendable {
  /// Answers a request, or says with `nil` that there is nothing under its path.
  package typealias Handler = @Sendable (MonitorRequest) async -> MonitorResponse?

  private var exact: [String: Handler] = [:]
  private var prefixes: [(prefix: String, handler: Handler)] = []

  package init() {}

  /// Answers exactly this path; a second handler for a path replaces the first.
  package mutating func add(_ path: String, handler: @escaping Handler) { exact[path] = handler }

  /// Answers every path that starts like this and has no handler of its own; the longest prefix
  /// wins.
  package mutating func add(prefix: String, handler: @escaping Handler) {
    prefixes.removeAll { $0.prefix == prefix }
    prefixes.append((prefix, handler))
    prefixes.sort { $0.prefix.utf8.count > $1.prefix.utf8.count }
  }

  package func respond(to request: MonitorRequest) async -> MonitorResponse {
    guard request.method == .GET || request.method == .HEAD else {
      return .text(
        "only GET and HEAD are allowed", status: .methodNotAllowed,
        headers: ["Allow": "GET, HEAD"])
    }
    let handler =
      exact[request.path] ?? prefixes.first { request.path.hasPrefix($0.prefix) }?.handler
    return await handler?(request) ?? .text("not found", status: .notFound)
  }
}
