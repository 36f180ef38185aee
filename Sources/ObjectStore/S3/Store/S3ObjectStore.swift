package import Logging
package import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// Values as objects of a bucket of S3, or of a server that speaks its protocol.
///
/// What a server has to have: conditional writes (`If-Match`, `If-None-Match` on `PutObject` and
/// `CompleteMultipartUpload`). Without them, conditions that exclude each other may both hold.
/// (Ceph's gateway 16.2 has them for `PutObject` only: there two processes may both create a value of
/// many parts at the same time.)
/// Conditional deletes are used too: with a server that ignores `If-Match` there, a value that was
/// written within the moment between the look at the old one and its removal is lost.
///
/// S3's ETag of a value follows from its bytes alone, and S3 compares nothing else. A value that is
/// written anew with the bytes that it has is the same version as before: who has its ETag may still
/// replace it. Where that would be wrong (several create the same value over an expired one, say)
/// the store writes it so that it gets another ETag (as an upload of one part), or, if it has many
/// parts, first puts something else in the place of the expired one. What is left: an expired
/// value is looked at, and within the one round trip until the request that removes or replaces it
/// another process writes the same bytes; then that value is lost. Expired values are removed only
/// minutes later (``S3Configuration/sweepDelay``), and never while this process writes their key. A
/// lifecycle rule of the bucket in place of the sweep has no such moment.
///
/// Objects that others have put into the bucket are values like others; what this store writes
/// beside a value is described at ``S3Record``.
package final class S3ObjectStore: ObjectStore {
  let configuration: S3Configuration
  let client: S3Client
  let clock: WallClock
  let logger: Logger
  let memory: PartMemory
  let turns: KeyTurns
  let listing = S3Permission()
  /// Values that were found expired, for the sweep.
  let expired: AsyncStream<S3ExpiredObject>
  let foundExpired: AsyncStream<S3ExpiredObject>.Continuation

  /// Connects to nothing yet.
  ///
  /// - Throws: if the configuration cannot work.
  package init(
    _ configuration: S3Configuration, eventLoopGroup: any EventLoopGroup,
    clock: WallClock = .system, logger: Logger
  ) throws(ObjectStoreError) {
    var configuration = configuration
    configuration.partMemory = max(configuration.partMemory, 5 << 20)
    configuration.partBytes = min(
      max(configuration.partBytes, 5 << 20), configuration.partMemory)
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    client = try S3Client(configuration, eventLoopGroup: eventLoopGroup)
    memory = PartMemory(
      size: configuration.partMemory, partBytes: configuration.partBytes,
      limit: configuration.memoryTimeout)
    turns = KeyTurns(limit: configuration.retries.limit)
    (expired, foundExpired) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
  }

  /// Removes expired values until it is cancelled or a graceful shutdown begins. Requests that come
  /// later fail.
  package func run() async throws {
    await cancelWhenGracefulShutdown { await self.sweep() }
    client.shutDown()
  }

  /// Returns if the bucket answers a list of one key. Where lists are not allowed, a refusal of a
  /// server that knows the credentials is taken for an answer.
  package func check() async throws(ObjectStoreError) {
    _ = try await mayList(attempts: 2)
  }

  // MARK: Refusals

  /// Whether the credentials allow to list the bucket: asked of S3, and remembered for a minute.
  func mayList(attempts: Int? = nil) async throws(ObjectStoreError) -> Bool {
    var call = S3Call(.GET)
    call.query = [("list-type", "2"), ("max-keys", "1")]
    call.attempts = attempts
    let answer = try await client.perform(call)
    if answer.isSuccess || answer.status == 403 {
      if answer.status == 403, answer.error.code != "AccessDenied" { throw refusal(call, answer) }
      listing.remember(answer.isSuccess, at: clock.now)
      return answer.isSuccess
    }
    throw refusal(call, answer)
  }

  /// Whether a 403 to a read means that the key has no value.
  ///
  /// S3 says 403 and not 404 to those who may not list the bucket. So where they may, a 403 is a
  /// refusal; where they may not, it is taken for a missing key.
  func isMissing(_ call: S3Call, _ answer: S3Answer) async throws(ObjectStoreError) -> Bool {
    guard answer.status == 403 else { return answer.status == 404 }
    if !answer.error.code.isEmpty, answer.error.code != "AccessDenied" {
      throw refusal(call, answer)
    }
    var isAllowed = listing.known(at: clock.now)
    if isAllowed == nil { isAllowed = try await mayList() }
    if isAllowed == true { throw refusal(call, answer) }
    logger.debug("S3 refuses a read and a list: taken for a missing key")
    return true
  }

  /// What to say of an answer that nobody wanted.
  func refusal(_ call: S3Call, _ answer: S3Answer) -> ObjectStoreError {
    let code = answer.error.code.isEmpty ? "" : ", \(answer.error.code)"
    let message = answer.error.message.isEmpty ? "" : ": \(answer.error.message)"
    let text =
      "\(call.name) at \(client.endpoint.origin) was refused (status \(answer.status)\(code))"
    let kind: ObjectStoreError.Kind =
      switch (answer.status, answer.error.code) {
      case (403, _): .denied
      case (_, "EntityTooLarge"): .tooLarge
      case (_, "QuotaExceeded"), (507, _): .full
      default: .unavailable
      }
    return ObjectStoreError(kind, text + message, mayHaveRun: answer.mayHaveRunBefore)
  }
}
