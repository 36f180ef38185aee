import HTTPUpstream
import JSON
import NIOCore
import NIOHTTP1
import Synchronization

/// The small services that hand out credentials, over HTTP.
final class CredentialService: Sendable {
  private let eventLoopGroup: any EventLoopGroup
  private let authorityFile: String?
  private let clients = Mutex<[HTTPOrigin: HTTPUpstream]>([:])

  init(eventLoopGroup: any EventLoopGroup, authorityFile: String? = nil) {
    self.eventLoopGroup = eventLoopGroup
    self.authorityFile = authorityFile
  }

  /// Asks a service, a few times if it does not answer, and returns a short body.
  ///
  /// - Parameter place: for messages.
  func ask(
    _ origin: HTTPOrigin, _ request: HTTPUpstreamRequest, place: String, attempts: Int = 3
  ) async throws(AWSCredentialError) -> (status: Int, body: [UInt8]) {
    var failure: HTTPUpstreamError?
    for attempt in 0..<attempts {
      if attempt > 0 { try? await Task.sleep(for: .milliseconds(100 << attempt)) }
      do throws(HTTPUpstreamError) {
        let client = try client(for: origin)
        let response = try await client.send(request)
        let body = try await response.collect(upTo: 256 << 10)
        if response.status < 500 || attempt == attempts - 1 {
          return (response.status, Array(body.readableBytesView))
        }
      } catch {
        failure = error
      }
    }
    throw AWSCredentialError("\(place) does not answer", cause: failure)
  }

  private func client(for origin: HTTPOrigin) throws(HTTPUpstreamError) -> HTTPUpstream {
    if let known = clients.withLock({ $0[origin] }) { return known }
    var configuration = HTTPUpstreamConfiguration(origin: origin, authorityFile: authorityFile)
    configuration.maximumConnections = 2
    configuration.connectTimeout = .seconds(1)
    configuration.answerTimeout = .seconds(5)
    configuration.idleTimeout = .seconds(2)
    let client = try HTTPUpstream(configuration: configuration, eventLoopGroup: eventLoopGroup)
    // Of two that came at once, both work: the other is just not kept.
    clients.withLock { $0[origin] = client }
    return client
  }

  func shutDown() {
    for client in clients.withLock({ $0 }).values { client.shutDown() }
  }

  /// Reads credentials as containers and machines get them.
  static func parse(
    _ body: [UInt8], place: String
  ) throws(AWSCredentialError) -> AWSCredentials {
    do {
      let root = try JSONDocument(
        parsing: body, limits: JSONDocument.Limits(bytes: 256 << 10, depth: 8, values: 256)
      ).root
      if let code = try root.field("Code")?.string, code != "Success" {
        throw AWSCredentialError("\(place) has no credentials: it says \(code.prefix(100))")
      }
      guard let id = try root.field("AccessKeyId")?.string,
        let secret = try root.field("SecretAccessKey")?.string
      else { throw AWSCredentialError("\(place) answered without keys") }
      let expiration = try root.field("Expiration")?.string
      let expires = expiration.flatMap(UTCTime.init(rfc3339:))?.secondsSince1970
      if expiration != nil, expires == nil {
        throw AWSCredentialError("\(place) gave an Expiration that is no time")
      }
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: try root.field("Token")?.string,
        expires: expires)
    } catch let error as AWSCredentialError {
      throw error
    } catch {
      throw AWSCredentialError("\(place) answered with what is no JSON of credentials")
    }
  }
}
