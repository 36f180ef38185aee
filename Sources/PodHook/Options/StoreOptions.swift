package import ArgumentParser
import RedisClient
package import ServiceKit

/// Where the locks live: the options that every command of a hook has.
package struct StoreOptions: ParsableArguments {
  @Option(help: "redlock: Redis servers; memory: this process only, for tests (default: redlock).")
  package var lockMode: String?

  @Option(help: "Redis servers, host:port or rediss:// URLs, by commas (default: 127.0.0.1:6379).")
  package var redisAddresses: String?

  @Option(help: "Goes in front of every key in the store (default: none).")
  package var keyPrefix: String?

  @Option(help: "How long one Redis server may take for one command (default: 500ms).")
  package var redisTimeout: String?

  @Option(
    help: "A directory that may hold username, password, ca.crt, tls.crt and tls.key for Redis.")
  package var redisCredentialsDirectory: String?

  @Option(help: "PEM file with the authorities that sign the Redis servers' certificates.")
  package var redisCAFile: String?

  @Option(help: "PEM file with this client's certificate for Redis.")
  package var redisCertificateFile: String?

  @Option(help: "PEM file with this client's key for Redis.")
  package var redisKeyFile: String?

  @Option(help: "A file with the Redis password; or the variable REDIS_PASSWORD.")
  package var redisPasswordFile: String?

  package init() {}

  /// Notes every fault in `reader`; the result counts only if there was none.
  package func resolve(_ reader: inout OptionReader) -> StoreConfiguration {
    var configuration = StoreConfiguration()
    configuration.mode = reader.choice("lock-mode", flag: lockMode, default: .redlock)
    configuration.addresses = addresses(&reader)
    configuration.keyPrefix = reader.string("key-prefix", flag: keyPrefix, default: "")
    configuration.nodeTimeout = reader.duration(
      "redis-timeout", flag: redisTimeout, default: .milliseconds(500),
      in: .milliseconds(1)...(.seconds(30)))
    configuration.tls.authorityFile = reader.string("redis-ca-file", flag: redisCAFile)
    configuration.tls.certificateFile = reader.string(
      "redis-certificate-file", flag: redisCertificateFile)
    configuration.tls.keyFile = reader.string("redis-key-file", flag: redisKeyFile)
    configuration.username = reader.secret("redis-username", file: nil)
    configuration.password = reader.secret("redis-password", file: redisPasswordFile)
    let directory = reader.string(
      "redis-credentials-directory", flag: redisCredentialsDirectory)
    if let directory { configuration.read(directory: directory, &reader) }
    if configuration.username != nil, configuration.password == nil {
      reader.reject(
        "redis-username", value: nil, allowed: "a user together with a password (REDIS_PASSWORD)")
    }
    return configuration
  }

  private func addresses(_ reader: inout OptionReader) -> [RedisAddress] {
    let fallback = [RedisAddress(host: "127.0.0.1")]
    guard let text = reader.string("redis-addresses", flag: redisAddresses) else { return fallback }
    do throws(RedisError) {
      let list = try RedisAddress.list(parsing: text)
      guard list.contains(where: { $0.credentials != nil }) else { return list }
      // Arguments, and the manifests that sidecars get theirs from, can be read by many.
      reader.reject(
        "redis-addresses", value: nil,
        allowed: "addresses without credentials: put these into REDIS_USERNAME and REDIS_PASSWORD "
          + "or into --redis-credentials-directory")
    } catch {
      reader.reject(
        // A URL that was cut off may end in a password.
        "redis-addresses", value: text.contains("@") || text.contains("://") ? nil : text,
        allowed: "different servers as host:port or redis(s)://host:port, separated by commas ("
          + error.message + ")")
    }
    return fallback
  }
}
