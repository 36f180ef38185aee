import RedisClient
import Testing

@Suite struct RedisAddressTests {
  @Test(arguments: [
    ("127.0.0.1:6380", RedisAddress(host: "127.0.0.1", port: 6380)),
    ("redis-0.redis", RedisAddress(host: "redis-0.redis")),
    (" host:1 ", RedisAddress(host: "host", port: 1)),
    ("[::1]:6379", RedisAddress(host: "::1")),
    ("[fe80::1]", RedisAddress(host: "fe80::1")),
    ("redis://host", RedisAddress(host: "host")),
    ("redis://host/", RedisAddress(host: "host")),
    ("REDISS://host:7000/3", RedisAddress(host: "host", port: 7000, usesTLS: true, database: 3)),
    (
      "redis://:p%40ss%2F%2C@[::1]:7/0",
      RedisAddress(host: "::1", port: 7, credentials: RedisCredentials(password: "p@ss/,"))
    ),
    (
      "rediss://us%3Aer:a:b@host",
      RedisAddress(
        host: "host", usesTLS: true,
        credentials: RedisCredentials(username: "us:er", password: "a:b"))
    ),
  ])
  func readsAddresses(text: String, address: RedisAddress) throws {
    #expect(try RedisAddress(parsing: text) == address)
  }

  @Test(arguments: [
    ("", "is empty"), ("http://host", "scheme"), ("host:0", "port"), ("host:65536", "port"),
    ("host:x", "port"), ("host:+1", "port"), ("host:", "port"), (":6379", "no host"),
    ("ho st", "no DNS name"), ("::1", "brackets"), ("[::1", "brackets"), ("[host]:1", "brackets"),
    ("[::1]6379", "brackets"), ("host/1", "needs a scheme"), ("redis://host/x", "database"),
    ("redis://host/-1", "database"), ("redis://host?a=b", "query"),
    ("redis://user@host", "no password"), ("redis://user:@host", "no password"),
    ("user:secret@host", "need a scheme"), ("redis://:%zz@host", "percent-encoding"),
    ("redis://:%ff@host", "percent-encoding"), ("redis://:%4", "no host"),
  ])
  func namesTheFault(text: String, reason: String) throws {
    let error = try #require(
      #expect(throws: RedisError.self) { try RedisAddress(parsing: text) })
    #expect(error.kind == .configuration)
    #expect(error.message.contains(reason), "\(error)")
  }

  @Test func neverRepeatsWhatMayBeAPassword() throws {
    for text in [
      "redis://u:se/cret@host", "redis://:secret,a@host:x", "u:secret@h", "redis://u:secret@:1",
      "redis://:secret", "redis://:a,secret:b",
    ] {
      let error = try #require(
        #expect(throws: RedisError.self) { try RedisAddress.list(parsing: text) })
      #expect(!"\(error)".contains("secret"))
      #expect(!"\(error)".contains("cret"))
    }
    let address = try RedisAddress(parsing: "redis://user:secret@host:1")
    #expect("\(address)" == "host:1")
    #expect(String(reflecting: address) == "host:1")
    #expect("\(address.credentials as Any)".contains("secret") == false)
    var dumped = ""
    dump(RedisConfiguration(address: address), to: &dumped)
    #expect(!dumped.contains("secret"))
  }

  @Test func readsListsAndReportsAllFaultsTogether() throws {
    let addresses = try RedisAddress.list(parsing: "a:1, b:2 ,[::1]:3")
    #expect(addresses.map(\.description) == ["a:1", "b:2", "[::1]:3"])
    let error = try #require(
      #expect(throws: RedisError.self) { try RedisAddress.list(parsing: "a:1,,b:x,a:1") })
    #expect(
      error.message
        == "address 2 '' is empty; "
        + "address 3 'b:x' has a port that is not a number from 1 to 65535; "
        + "address 4 'a:1' names a server that is already in the list")
    let unquoted = #expect(throws: RedisError.self) {
      try RedisAddress.list(parsing: "a:1,b:x,redis://a:1")
    }
    #expect(
      unquoted?.message == "address 2 has a port that is not a number from 1 to 65535; "
        + "address 3 names a server that is already in the list")
  }
}
