package import ArgumentParser
package import ServiceKit

/// Where the locks live: the options that every command of a hook has.
package struct StoreOptions: ParsableArguments {
  @Option(
    help: """
      redlock: Redis servers; etcd; memory: this process only, for tests (default: redlock).
      """)
  package var lockMode: String?

  @Option(help: "Goes in front of every key in the store (default: none).")
  package var keyPrefix: String?

  @OptionGroup package var redis: RedisOptions
  @OptionGroup package var etcd: EtcdOptions

  package init() {}

  /// Notes every fault in `reader`; the result counts only if there was none.
  package func resolve(_ reader: inout OptionReader) -> StoreConfiguration {
    StoreConfiguration(
      mode: reader.choice("lock-mode", flag: lockMode, default: .redlock),
      keyPrefix: reader.string("key-prefix", flag: keyPrefix, default: ""),
      redis: redis.resolve(&reader), etcd: etcd.resolve(&reader))
  }
}
