import LocalServers
import Logging
import ObjectStore
import ServiceLifecycle
import Testing

/// Stores that hold to the same promises: the conformance suites run against each.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory
  case file
  case s3

  var testDescription: String { rawValue }

  /// The longest pause of a writer that lost a race, in milliseconds. Where each attempt takes a
  /// server's time, losers that do not wait only keep winners from finishing.
  var lossPause: Int {
    switch self {
    case .memory, .file: 0
    case .s3: 300
    }
  }

  /// What is large for it, within the time of a test.
  var largeSize: Int {
    switch self {
    case .memory: 64 << 20
    case .file: 1 << 30
    // moto holds several copies of it: 1 GiB works too, and costs 5 GB of memory and a minute.
    case .s3: 128 << 20
    }
  }
}

/// Runs `body` with a new, empty store, which runs as a service beside it.
func withObjectStore<Result: Sendable>(
  _ kind: StoreKind, clock: TestClock = TestClock(),
  _ body: (any ObjectStore) async throws -> Result
) async throws -> Result {
  switch kind {
  case .memory:
    return try await running(MemoryObjectStore(clock: clock.wallClock), body)
  case .file:
    return try await withTemporaryDirectory { directory in
      try await running(try fileStore(directory, clock: clock), body)
    }
  case .s3:
    let server = try await SharedS3Server.server()
    return try await running(
      try s3Store(server.endpoint, bucket: try server.newBucket(), clock: clock), body)
  }
}

/// A file store in a directory, for tests.
func fileStore(
  _ directory: String, clock: TestClock = TestClock()
) throws(ObjectStoreError) -> FileObjectStore {
  try FileObjectStore(
    FileObjectStore.Configuration(directory: directory), clock: clock.wallClock,
    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
}

private func running<Result: Sendable>(
  _ store: any ObjectStore, _ body: (any ObjectStore) async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await store.run() }
    defer { group.cancelAll() }
    return try await body(store)
  }
}
