import HTTPUpstream
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Runs `body` with a client of a server on this machine.
func withUpstream<Result>(
  _ port: Int, tls: Bool = false, host: String = "127.0.0.1",
  _ change: (inout HTTPUpstreamConfiguration) -> Void = { _ in },
  _ body: (HTTPUpstream) async throws -> Result
) async throws -> Result {
  var configuration = HTTPUpstreamConfiguration(
    origin: HTTPOrigin(usesTLS: tls, host: host, port: port))
  // A busy machine is no failure.
  configuration.connectTimeout = .seconds(30)
  configuration.answerTimeout = .seconds(30)
  configuration.bodyIdleTimeout = .seconds(30)
  configuration.waitTimeout = .seconds(30)
  change(&configuration)
  let upstream = try HTTPUpstream(
    configuration: configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  defer { upstream.shutDown() }
  return try await body(upstream)
}

extension HTTPUpstream {
  /// Status and body.
  func get(_ target: String = "/") async throws -> String {
    let response = try await send(HTTPUpstreamRequest(.GET, target))
    return "\(response.status) \(String(buffer: try await response.collect(upTo: 1 << 20)))"
  }

  /// How a request fails; nil if it does not.
  func failure(
    _ request: HTTPUpstreamRequest, from source: (any HTTPUpstreamSource)? = nil
  ) async -> HTTPUpstreamError? {
    do throws(HTTPUpstreamError) {
      let response = try await send(request, from: source)
      _ = try await response.collect(upTo: 1 << 20)
      return nil
    } catch {
      return error
    }
  }
}

/// A body of pieces, one after the other.
final class Pieces: HTTPUpstreamSource {
  private var pieces: [String]
  private(set) var given = 0

  init(_ pieces: [String]) { self.pieces = pieces }

  func next() async throws -> ByteBuffer? {
    guard given < pieces.count else { return nil }
    given += 1
    return ByteBuffer(string: pieces[given - 1])
  }
}

/// A body that never ends.
final class Endless: HTTPUpstreamSource {
  private(set) var given = 0
  private let piece = ByteBuffer(repeating: 0x61, count: 64 << 10)

  func next() async throws -> ByteBuffer? {
    given += piece.readableBytes
    return piece
  }
}

/// Something that happens once, and is waited for.
final class Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func send() { continuation.finish() }
  func wait() async { for await _ in stream {} }
}
