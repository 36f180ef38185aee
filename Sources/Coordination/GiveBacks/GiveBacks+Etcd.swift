import EtcdClient
import Logging
import ServiceLifecycle

extension GiveBacks {
  /// Each of these occupies a request.
  static var atEtcd: GiveBacks { GiveBacks(concurrency: 64) }

  /// As ``run(_:_:)``, over a client of etcd, which itself tries all members.
  func run(
    over client: EtcdClient, logger: Logger,
    _ giveBack: @escaping @Sendable (Item, _ timeout: Duration) async throws -> Void
  ) async {
    await run([{ await client.runUntilCancelled() }]) { item in
      // At the end of the process nobody waits long for an etcd that is away.
      let timeout = Task.isShuttingDownGracefully ? Duration.seconds(1) : Self.patience
      do {
        try await giveBack(item, timeout)
      } catch {
        // It frees itself when its lease runs out.
        logger.info("could not be given back to etcd", metadata: ["reason": "\(error)"])
      }
    }
  }
}
