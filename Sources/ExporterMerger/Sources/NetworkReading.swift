import AsyncHTTPClient
import Glibc
import Gzip
import NIOCore
import NIOHTTP1
import NIOPosix
import PrometheusText

/// Reads sources as their addresses say: over HTTP, or from files.
package struct NetworkReading: SourceReading {
  private let client: HTTPClient
  /// For Unix sockets, where a redirect might lead to another socket.
  private let socketClient: HTTPClient

  /// The caller ends it with ``shutDown()``.
  ///
  /// - Parameter scrapes: how many scrapes there are at one time, of all sources together.
  package init(scrapes: Int) {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .follow(max: 5, allowCycles: false), decompression: .disabled)
    configuration.httpVersion = .http1Only
    // All sources may be on one host and port, and some of them hang: none waits for another.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(8, scrapes)
    // A source that is down is said to be down at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    configuration.redirectConfiguration = .disallow
    socketClient = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  package func shutDown() async throws {
    try await client.shutdown()
    try await socketClient.shutdown()
  }

  package func read(
    _ source: Source, _ request: SourceRequest
  ) async throws(ScrapeFailure) -> SourceAnswer {
    if case .file(let path) = source.address {
      return try FileReading.read(path, request)
    }
    do {
      let client = if case .unix = source.address { socketClient } else { self.client }
      let response = try await client.execute(
        Self.clientRequest(source.address, request), deadline: request.deadline)
      return try await Self.answer(response, request)
    } catch let failure as ScrapeFailure {
      throw failure
    } catch {
      throw Self.failure(error)
    }
  }

  private static func clientRequest(
    _ address: SourceAddress, _ request: SourceRequest
  ) -> HTTPClientRequest {
    var headers: HTTPHeaders = [
      "Accept": request.accept, "User-Agent": "exporter-merger",
      "X-Prometheus-Scrape-Timeout-Seconds": "\(request.timeout)",
      "Accept-Encoding": address.isLocal ? "identity" : "gzip",
      // Scrapes are far apart: a connection that was kept would meet the end of the source's
      // patience, and the request with it would fail.
      "Connection": "close",
    ]
    var url = ""
    switch address {
    case .http(let address, let authorization):
      url = address
      if let authorization { headers.add(name: "Authorization", value: authorization) }
    case .unix(let socket, let target):
      url = "http+unix://\(escaped(socket))\(target)"
      headers.add(name: "Host", value: "localhost")
    case .file: break
    }
    var result = HTTPClientRequest(url: url)
    result.headers = headers
    return result
  }

  private static func answer(
    _ response: HTTPClientResponse, _ request: SourceRequest
  ) async throws -> SourceAnswer {
    guard response.status == .ok else {
      throw ScrapeFailure(.status, "it answered \(response.status.code)")
    }
    let limit = request.maximumBytes
    let length = response.headers.first(name: "content-length").flatMap { Int($0) }
    let format = ExpositionFormat(
      contentType: response.headers.first(name: "content-type") ?? "")
    switch response.headers.first(name: "content-encoding")?.lowercased() {
    case nil, "identity":
      guard (length ?? 0) <= limit else { throw tooLarge(limit) }
      var bytes: [UInt8] = []
      bytes.reserveCapacity((length ?? 0) + 64)
      for try await buffer in response.body {
        guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge(limit) }
        try request.share.take(buffer.readableBytes)
        bytes.append(contentsOf: buffer.readableBytesView)
      }
      return SourceAnswer(bytes: bytes, format: format)
    case "gzip", "x-gzip":
      do {
        let reader = try GzipReader(limit: limit)
        var taken = 0
        for try await buffer in response.body {
          try buffer.withUnsafeReadableBytes { bytes throws(GzipError) in
            try reader.append(bytes)
          }
          try request.share.take(reader.bytes.count - taken)
          taken = reader.bytes.count
        }
        return SourceAnswer(bytes: try reader.finish(), format: format)
      } catch let error as GzipError {
        if case .tooLarge = error { throw tooLarge(limit) }
        throw ScrapeFailure(.encoding, "\(error)")
      }
    case _?: throw ScrapeFailure(.encoding, "it used an encoding that is neither none nor gzip")
    }
  }

  private static func tooLarge(_ limit: Int) -> ScrapeFailure {
    ScrapeFailure(.tooLarge, "its answer is larger than \(limit) bytes (--max-body-bytes)")
  }

  /// The words of the client name no more than host and port.
  private static func failure(_ error: any Error) -> ScrapeFailure {
    switch error {
    case is CancellationError: ScrapeFailure(.timeout, "the answer was not whole in time")
    case let error as HTTPClientError
    where error == .deadlineExceeded || error == .cancelled || error == .connectTimeout
      || error == .readTimeout:
      ScrapeFailure(.timeout, "the answer was not whole in time")
    case let error as NIOConnectionError:
      ScrapeFailure(
        .connection,
        "cannot connect to \(error.host):\(error.port): "
          + (error.connectionErrors.first.map { words($0.error) } ?? "unknown host"))
    case let error as IOError: ScrapeFailure(.connection, words(error))
    default: ScrapeFailure(.connection, "the answer broke off: \(error)")
    }
  }

  /// What the C library says, where it has to say something.
  private static func words(_ error: any Error) -> String {
    guard let error = error as? IOError else { return "\(error)" }
    return String(cString: strerror(error.errnoCode)).lowercased()
  }

  /// Percent-encodes what is not plainly part of a host name.
  private static func escaped(_ path: String) -> String {
    var result = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
