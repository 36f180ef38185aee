import LocalServers
import Logging
import NIOPosix
import ObjectStore

/// One server of S3 for all tests of this process, each with a bucket of its own.
enum SharedS3Server {
  /// Lasts as long as the process, whose end the server's watchdog notices: no scope of a test could
  /// hold it.
  private static let starting = Task {
    try await withCheckedThrowingContinuation { continuation in
      _ = Task {
        let isStarted = Once(continuation)
        do {
          try await withS3Server { server in
            isStarted.resume(with: .success(server))
            while true { try await Task.sleep(for: .seconds(3600)) }
          }
        } catch {
          isStarted.resume(with: .failure(error))
        }
      }
    }
  }

  static func server() async throws -> S3Server { try await starting.value }
}

/// A continuation that is resumed by the first who comes.
private final class Once: Sendable {
  private let continuation: Observed<CheckedContinuation<S3Server, any Error>?>

  init(_ continuation: CheckedContinuation<S3Server, any Error>) {
    self.continuation = Observed(continuation)
  }

  func resume(with result: Result<S3Server, any Error>) {
    let taken = continuation.update { continuation in
      defer { continuation = nil }
      return continuation
    }
    taken?.resume(with: result)
  }
}

/// A store on a bucket, with retries that do not wait long.
func s3Store(
  _ endpoint: String, bucket: String, clock: TestClock = TestClock(),
  _ change: (inout S3Configuration) -> Void = { _ in }
) throws(ObjectStoreError) -> S3ObjectStore {
  var configuration = S3Configuration(bucket: bucket)
  configuration.endpoint = endpoint
  configuration.region = "us-east-1"
  configuration.environment = AWSEnvironment([:])
  configuration.credentials = StaticCredentials(
    AWSCredentials(
      accessKeyID: S3Server.accessKeyID, secretAccessKey: S3Server.secretAccessKey))
  configuration.sweepInterval = nil
  configuration.retries.delays = .milliseconds(2) ... .milliseconds(50)
  // Others build and test on the same machine.
  configuration.connectTimeout = .seconds(20)
  configuration.answerTimeout = .seconds(60)
  configuration.bodyIdleTimeout = .seconds(60)
  change(&configuration)
  return try S3ObjectStore(
    configuration, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, clock: clock.wallClock,
    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
}
