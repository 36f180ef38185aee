import Coordination
import ServiceLifecycle

/// A store as a part of a process.
struct StoreService: Service {
  private let store: any LockStore

  init(_ store: any LockStore) { self.store = store }

  func run() async throws { try await store.run() }
}
