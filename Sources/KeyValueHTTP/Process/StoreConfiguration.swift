package import Logging
package import NIOCore
package import ObjectStore
package import ServiceKit

/// Where the values live.
package struct StoreConfiguration: Sendable, CustomStringConvertible {
  enum Place: Hashable, Sendable {
    /// A directory; it is made if it is not there.
    case directory(String)
    case memory
  }

  let place: Place

  /// As `--store` takes it.
  package var description: String {
    switch place {
    case .directory(let path): path.hasPrefix("/") ? "file://\(path)" : path
    case .memory: "memory:"
    }
  }

  /// Opens the store. Blocks: once, at start.
  package func makeStore(
    eventLoopGroup: any EventLoopGroup, logger: Logger
  ) throws(FatalError) -> any ObjectStore {
    switch place {
    case .memory: return MemoryObjectStore()
    case .directory(let path):
      do {
        return try FileObjectStore(FileObjectStore.Configuration(directory: path), logger: logger)
      } catch {
        throw FatalError("the store \(self) cannot be opened: \(error)", cause: error)
      }
    }
  }

  /// Says at start what people should know.
  package func warn(_ logger: Logger) {
    if case .memory = place {
      logger.warning("values live in this process only: they end with it")
    }
  }
}
