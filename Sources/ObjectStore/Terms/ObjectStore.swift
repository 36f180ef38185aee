package import NIOCore
package import ServiceLifecycle

/// Values under keys: each is replaced as a whole, and read as it was at one moment.
///
/// Values stream both ways: a store holds no more of one than a few buffers. Each wait on disk or
/// network ends by itself, within times that the store is made with; bodies may take as long as
/// they move on. All methods end early when the task is cancelled, and then throw `cancelled`
/// (or, out of a closure of the caller, what that throws).
///
/// A value whose time has run out is not there: for reads, listings where the store knows it, and
/// conditions of writes.
///
/// Running it keeps it in order (expired values, credentials); it must run while it is used, and
/// ends at graceful shutdown after what is in flight.
package protocol ObjectStore: Service {
  /// Reads a value, or part of it.
  ///
  /// - Parameter use: gets the answer while the value is open: its content ends with the closure,
  ///   and need not be read.
  /// - Throws: ``ObjectStoreError`` before `use` is called, else what `use` throws.
  func read<Result: Sendable>(
    _ key: ObjectKey, _ request: ReadRequest, _ use: (ReadAnswer) async throws -> Result
  ) async throws -> Result

  /// What ``read(_:_:_:)`` would give, without content.
  func head(_ key: ObjectKey, _ request: ReadRequest) async throws(ObjectStoreError) -> HeadAnswer

  /// Stores the whole of a body under a key, or nothing.
  ///
  /// - Returns: after the value is durable, and seen by every reader.
  func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo

  /// Removes a value. It need not be there unless `condition` says so.
  func delete(_ key: ObjectKey, if condition: WriteCondition) async throws(ObjectStoreError)

  /// Keys in the order of their bytes.
  func list(_ request: ListRequest) async throws(ObjectStoreError) -> ListPage

  /// Returns if reads and writes would find the store at work.
  func check() async throws(ObjectStoreError)
}

/// The content of a value that is open.
package protocol ObjectContent: AnyObject {
  /// The next bytes, some at a time and never none; nil at the end, after as many as the answer
  /// promised.
  ///
  /// - Throws: if the rest cannot be had, or is not of the same version any more.
  func next() async throws(ObjectStoreError) -> ByteBuffer?
}

/// Where a value that is written comes from.
package protocol ObjectSource: AnyObject {
  /// The next bytes; nil at the end of a body that is whole. An error means that it broke off.
  func next() async throws -> ByteBuffer?
}
