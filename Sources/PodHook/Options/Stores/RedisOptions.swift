package import ArgumentParser
import RedisClient
import ServiceKit

/// How to reach Redis.
package struct RedisOptions: ParsableArguments {
  @Option(help: "Redis servers, host:port or rediss:// URLs, by commas (default: 127.0.0.1:6379).")
  package var redisAddresses: String?

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

  func resolve(_ reader: inout OptionReader) -> RedisSettings {
    var settings = RedisSettings()
    settings.addresses = reader.redisAddresses(
      "redis-addresses", flag: redisAddresses, default: [RedisAddress(host: "127.0.0.1")])
    settings.timeout = reader.duration(
      "redis-timeout", flag: redisTimeout, default: RedisSettings.usualTimeout,
      in: .milliseconds(1)...(.seconds(30)))
    settings.access = StoreAccess(
      "redis",
      .init(
        authorityFile: redisCAFile, certificateFile: redisCertificateFile, keyFile: redisKeyFile,
        passwordFile: redisPasswordFile, directory: redisCredentialsDirectory), &reader)
    return settings
  }
}

extension OptionReader {
  /// Reads servers without credentials, which arguments are no place for.
  mutating func redisAddresses(
    _ name: String, flag: String?, default fallback: [RedisAddress]
  ) -> [RedisAddress] {
    guard let text = string(name, flag: flag) else { return fallback }
    do throws(RedisError) {
      let list = try RedisAddress.list(parsing: text)
      guard list.contains(where: { $0.credentials != nil }) else { return list }
      // Arguments, and the manifests that sidecars get theirs from, can be read by many.
      reject(
        name, value: nil,
        allowed: "addresses without credentials: put these into REDIS_USERNAME and REDIS_PASSWORD "
          + "or into --redis-credentials-directory")
    } catch {
      reject(
        // A URL that was cut off may end in a password.
        name, value: text.contains("@") || text.contains("://") ? nil : text,
        allowed: "different servers as host:port or redis(s)://host:port, separated by commas ("
          + error.message + ")")
    }
    return fallback
  }
}
