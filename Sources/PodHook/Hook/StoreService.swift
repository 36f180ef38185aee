import Coordination
import ServiceLifecycle

/// A store as a part of a process.
struct StoreService: Service {
  private let store: any CoordinationStore

  init(_ store: any CoordinationStore) { self.store = store }

  func run() async throws { try await store.run() }
}
