package import Logging
package import NIOCore
package import ObjectStore
package import ServiceKit

/// Where the values live.
package struct StoreConfiguration: Sendable, CustomStringConvertible {
  enum Place: Hashable, Sendable {
    /// A directory; it is made if it is not there.
    case directory(String)
    case bucket(String)
    case memory

    var bucket: String? { if case .bucket(let name) = self { name } else { nil } }
  }

  let place: Place
  /// How to reach the bucket, if it is one.
  var s3: S3Configuration?

  /// As `--store` takes it.
  package var description: String {
    switch place {
    case .directory(let path): path.hasPrefix("/") ? "file://\(path)" : path
    case .bucket(let name): "s3://\(name)" + (s3?.endpoint.map { " at \($0)" } ?? "")
    case .memory: "memory:"
    }
  }

  /// Opens the store. Blocks: once, at start.
  package func makeStore(
    eventLoopGroup: any EventLoopGroup, logger: Logger
  ) throws(FatalError) -> any ObjectStore {
    do throws(ObjectStoreError) {
      switch place {
      case .memory: return MemoryObjectStore()
      case .directory(let path):
        return try FileObjectStore(FileObjectStore.Configuration(directory: path), logger: logger)
      case .bucket(let name):
        return try S3ObjectStore(
          s3 ?? S3Configuration(bucket: name), eventLoopGroup: eventLoopGroup, logger: logger)
      }
    } catch {
      throw FatalError("the store \(self) cannot be opened: \(error)", cause: error)
    }
  }

  /// Says at start what people should know.
  package func warn(_ logger: Logger) {
    if case .memory = place {
      logger.warning("values live in this process only: they end with it")
    }
  }
}
