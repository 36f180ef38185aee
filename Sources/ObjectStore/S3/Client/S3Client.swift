import HTTPUpstream
import NIOCore
import NIOHTTP1

/// Signs calls, sends them, and sends them again while the server is in trouble.
final class S3Client: Sendable {
  let endpoint: S3Endpoint
  private let region: String
  private let configuration: S3Configuration
  private let upstream: HTTPUpstream
  private let credentials: CredentialCache
  private let keys: SigningKeyCache

  init(
    _ configuration: S3Configuration, eventLoopGroup: any EventLoopGroup
  ) throws(ObjectStoreError) {
    let environment = configuration.environment
    region =
      configuration.region ?? environment.region
      ?? (try? AWSProfile(environment))?.settings?["region"] ?? "us-east-1"
    endpoint = try S3Endpoint(configuration, region: region)
    self.configuration = configuration
    var settings = HTTPUpstreamConfiguration(
      origin: endpoint.origin,
      authorityFile: configuration.authorityFile ?? environment["AWS_CA_BUNDLE"])
    settings.maximumConnections = configuration.maximumConnections
    settings.connectTimeout = configuration.connectTimeout
    settings.answerTimeout = configuration.answerTimeout
    settings.bodyIdleTimeout = configuration.bodyIdleTimeout
    settings.pauseLimit = configuration.pauseLimit
    do throws(HTTPUpstreamError) {
      upstream = try HTTPUpstream(configuration: settings, eventLoopGroup: eventLoopGroup)
    } catch {
      throw ObjectStoreError(.unavailable, "S3 cannot be used: \(error)", cause: error)
    }
    // The time of signatures is real whatever the values' clock says.
    credentials = CredentialCache(
      configuration.credentials ?? CredentialChain(environment, eventLoopGroup: eventLoopGroup),
      clock: .system)
    keys = SigningKeyCache(region: region, service: "s3")
  }

  func shutDown() { upstream.shutDown() }

  /// Carries out a call.
  ///
  /// - Returns: an answer that is final: also refusals (`404`, `412`, `403`), which the caller
  ///   understands.
  /// - Throws: `unavailable`, `busy`, `denied` (no credentials), `cancelled`.
  func perform(_ call: S3Call) async throws(ObjectStoreError) -> S3Answer {
    let policy = configuration.retries
    let attempts = call.attempts ?? policy.attempts
    let start = NIODeadline.now()
    let limit = start + TimeAmount(policy.limit)
    var mayHaveRun = false
    var hasNewCredentials = false
    var attempt = 0
    while true {
      if Task.isCancelled { throw cancelled(call, mayHaveRun) }
      let trouble: S3Trouble
      do throws(S3Trouble) {
        var answer = try await send(call, limit: limit)
        answer.mayHaveRunBefore = mayHaveRun
        return answer
      } catch {
        trouble = error
      }
      mayHaveRun = mayHaveRun || trouble.mayHaveRun
      if trouble.kind == .cancelled { throw cancelled(call, mayHaveRun) }
      var isLast = !trouble.isTemporary || attempt + 1 >= attempts || NIODeadline.now() >= limit
      if trouble.wantsNewCredentials {
        isLast = hasNewCredentials
        hasNewCredentials = true
      }
      if isLast {
        throw ObjectStoreError(
          trouble.kind, "\(call.name) at \(endpoint.origin): \(trouble.message)",
          mayHaveRun: mayHaveRun, cause: trouble.cause)
      }
      // An error means that the task was cancelled, which the next turn finds.
      try? await policy.pause(policy.delay(after: attempt))
      attempt += 1
    }
  }

  private func cancelled(_ call: S3Call, _ mayHaveRun: Bool) -> ObjectStoreError {
    ObjectStoreError(
      .cancelled, "\(call.name) at \(endpoint.origin) was given up", mayHaveRun: mayHaveRun)
  }

  // MARK: One attempt

  private func send(_ call: S3Call, limit: NIODeadline) async throws(S3Trouble) -> S3Answer {
    let credentials = try await currentCredentials()
    let answer: S3Answer
    do throws(HTTPUpstreamError) {
      answer = try await ask(call, credentials, limit: limit)
    } catch {
      throw S3Trouble(error)
    }
    if let trouble = S3Trouble(answer, region: region) {
      if trouble.wantsNewCredentials {
        self.credentials.discard(credentials, since: AWSCredentialError(trouble.message))
      }
      throw trouble
    }
    return answer
  }

  private func ask(
    _ call: S3Call, _ credentials: AWSCredentials, limit: NIODeadline
  ) async throws(HTTPUpstreamError) -> S3Answer {
    let response = try await upstream.send(request(for: call, credentials, limit: limit))
    let isSuccess = (200..<300).contains(response.status)
    var answer = S3Answer(
      status: response.status, headers: response.headers, body: [], error: S3ErrorDocument(),
      mayHaveRunBefore: false)
    if isSuccess, call.streams {
      answer.response = response
      return answer
    }
    answer.body = Array(try await response.collect(upTo: Self.shortBodyBytes).readableBytesView)
    if !isSuccess || call.mayFailLate { answer.error = S3ErrorDocument(answer.body) }
    if call.method == .HEAD, [400, 403].contains(answer.status) {
      answer.error = try await reason(of: call, answer.status, credentials, limit: limit)
    }
    if isSuccess, !answer.error.code.isEmpty { answer.status = answer.error.likelyStatus }
    return answer
  }

  /// Why a HEAD was refused, whose answer has no room for it: says the GET of a byte. Credentials that
  /// have expired and a key that may not be read need different things.
  private func reason(
    of call: S3Call, _ status: Int, _ credentials: AWSCredentials, limit: NIODeadline
  ) async throws(HTTPUpstreamError) -> S3ErrorDocument {
    var call = call
    call.method = .GET
    call.headers.append(("range", "bytes=0-0"))
    // A value that can be read after all is not.
    call.streams = true
    let answer = try await ask(call, credentials, limit: limit)
    answer.response?.close()
    return answer.status == status ? answer.error : S3ErrorDocument()
  }

  /// Errors, and what S3 says of uploads.
  private static let shortBodyBytes = 256 << 10

  private func currentCredentials() async throws(S3Trouble) -> AWSCredentials {
    do throws(AWSCredentialError) {
      return try await credentials.current()
    } catch {
      throw S3Trouble(.denied, error.description, cause: error)
    }
  }

  private func request(
    for call: S3Call, _ credentials: AWSCredentials, limit: NIODeadline
  ) -> HTTPUpstreamRequest {
    let time = UTCTime(secondsSince1970: WallClock.system.now)
    let signature = SignatureV4(
      accessKeyID: credentials.accessKeyID,
      key: keys.key(secret: credentials.secretAccessKey, time: time), time: time)
    let payload =
      call.body == nil ? SignatureV4.emptyPayload : SignatureV4.unsignedPayload
    var headers = call.headers
    headers.append(("host", endpoint.host))
    headers.append(("x-amz-content-sha256", payload))
    headers.append(("x-amz-date", signature.time))
    if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
    let path = endpoint.path(of: call.key)
    let query = SignatureV4.canonicalQuery(call.query)
    let authorization = signature.authorization(
      for: SignatureV4.Request(
        method: call.method.rawValue, path: path, query: query, headers: headers, payload: payload))
    headers.append(("authorization", authorization))
    return HTTPUpstreamRequest(
      call.method, query.isEmpty ? path : "\(path)?\(query)", headers: HTTPHeaders(headers),
      body: call.body.map { .bytes([$0]) } ?? .none, isRepeatable: call.isSafeToRepeat,
      // A body that moves on may take its time.
      deadline: call.body == nil ? limit : nil, answerTimeout: call.answerTimeout)
  }
}

extension S3Call {
  /// What a connection that was just closing may have carried out is repeated quietly only where
  /// nobody asks whether it had been.
  fileprivate var isSafeToRepeat: Bool {
    let isConditional = headers.contains { $0.name == "if-match" || $0.name == "if-none-match" }
    return switch method {
    case .GET, .HEAD: true
    case .PUT, .DELETE: !isConditional
    default: false
    }
  }
}
