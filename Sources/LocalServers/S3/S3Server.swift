import Glibc
import Synchronization

/// A server of S3 on 127.0.0.1 with data of its own, in memory: moto, behind a front that verifies
/// every signature and makes conditional writes atomic (`scripts/s3_server.py`).
package final class S3Server: Sendable {
  package static let accessKeyID = "AKIDTEST"
  package static let secretAccessKey = "test/secret+key"

  package let port: Int
  private let processes: LocalProcesses
  /// Nil if it runs elsewhere.
  private let process: LocalProcess?
  private let sessionToken: String?
  private let buckets = Mutex(0)

  package var endpoint: String { "http://127.0.0.1:\(port)" }

  /// What it logged lately.
  package var output: [String] { process?.output ?? [] }

  /// - Parameter sessionToken: what requests have to bear, if any.
  fileprivate init(
    _ processes: LocalProcesses, port: Int, process: LocalProcess?, sessionToken: String?
  ) {
    self.processes = processes
    self.port = port
    self.process = process
    self.sessionToken = sessionToken
  }

  /// Runs Python with boto3: `s3` is a client of this server, signed by boto3 itself.
  ///
  /// - Parameter arguments: `sys.argv[1:]` of the script.
  /// - Returns: what it printed.
  @discardableResult
  package func boto3(_ script: String, _ arguments: String...) async throws -> [String] {
    let preamble = """
      import boto3, sys, json
      from botocore.config import Config
      s3 = boto3.client("s3", endpoint_url="\(endpoint)", region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))

      """
    var environment = [
      "AWS_ACCESS_KEY_ID": Self.accessKeyID, "AWS_SECRET_ACCESS_KEY": Self.secretAccessKey,
      "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
    ]
    environment["AWS_SESSION_TOKEN"] = sessionToken
    let process = try await processes.start(
      LocalProcess.Command(
        name: "boto3", executable: Self.python,
        arguments: ["-c", preamble + script] + arguments, environment: environment,
        installHint: Self.installHint))
    guard try await process.waitForExit() == .exited(0) else {
      throw LocalServersError(.ended, "boto3: \(process.output.joined(separator: "\n"))")
    }
    return process.output
  }

  /// An empty bucket that nobody else gets.
  package func newBucket() throws -> String {
    let number = buckets.withLock { count in
      defer { count += 1 }
      return count
    }
    // As many as the script makes.
    guard number < 500 else { throw LocalServersError(.system, "no bucket is left") }
    return "bucket-\(number)"
  }

  // MARK: Files

  fileprivate static let installHint = "run scripts/install-test-dependencies"

  private static var root: String {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
      .joined(separator: "/")
  }

  fileprivate static var python: String {
    getenv("S3_SERVER_PYTHON").map { String(cString: $0) } ?? "\(root)/.build/venv/bin/python"
  }

  fileprivate static var script: String { "\(root)/scripts/s3_server.py" }
}

extension LocalProcesses {
  /// Starts a server of S3; returns once it serves.
  ///
  /// With `S3_SERVER_PORT` in the environment it is one that runs already on 127.0.0.1, of whatever
  /// make: it needs the user ``S3Server/accessKeyID`` and the empty buckets `bucket-0` … `bucket-499`.
  package func startS3Server(sessionToken: String? = nil) async throws -> S3Server {
    if sessionToken == nil, let text = getenv("S3_SERVER_PORT") {
      guard let port = Int(String(cString: text)) else {
        throw LocalServersError(.system, "S3_SERVER_PORT is no number: \(String(cString: text))")
      }
      return S3Server(self, port: port, process: nil, sessionToken: nil)
    }
    var attempts = 0
    while true {
      attempts += 1
      let port = try FreePort.next()
      let process = try await start(
        LocalProcess.Command(
          name: "s3", executable: S3Server.python,
          arguments: [
            S3Server.script, String(port), S3Server.accessKeyID, S3Server.secretAccessKey,
          ] + (sessionToken.map { [$0] } ?? []),
          environment: ["PYTHONDONTWRITEBYTECODE": "1"], installHint: S3Server.installHint))
      do {
        try await withDeadline(.seconds(90), "the S3 server is ready") {
          try await process.line(containing: "ready")
        }
        return S3Server(self, port: port, process: process, sessionToken: sessionToken)
      } catch let error as LocalServersError
        where error.kind == .ended && error.message.contains("in use") && attempts < 10
      {
        continue
      }
    }
  }
}

/// Runs `body` with a server of S3 that ends with it.
package func withS3Server<Result: Sendable>(
  sessionToken: String? = nil, _ body: (S3Server) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    try await body(processes.startS3Server(sessionToken: sessionToken))
  }
}
