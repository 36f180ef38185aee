import LocalServers
import NIOHTTP1
import ObjectStore

/// Runs `body` with a store whose way to S3 is disturbed, and one on the same bucket whose is not.
func withFaultyStore<Result: Sendable>(
  partBytes: Int? = nil, bodyIdleTimeout: Duration? = nil,
  _ plan: @escaping FaultProxy.Plan,
  _ body: (S3ObjectStore, S3ObjectStore, FaultProxy) async throws -> Result
) async throws -> Result {
  let server = try await SharedS3Server.server()
  let bucket = try server.newBucket()
  let direct = try s3Store(server.endpoint, bucket: bucket)
  return try await FaultProxy.with(server.port, plan) { proxy in
    try await body(
      try s3Store(proxy.endpoint, bucket: bucket) { configuration in
        if let partBytes { configuration.partBytes = partBytes }
        if let bodyIdleTimeout { configuration.bodyIdleTimeout = bodyIdleTimeout }
      }, direct, proxy)
  }
}
