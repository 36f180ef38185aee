import EtcdClient
import Testing

@Suite struct EtcdAddressTests {
  @Test(arguments: [
    ("127.0.0.1:2380", EtcdAddress(host: "127.0.0.1", port: 2380)),
    ("etcd-0.etcd", EtcdAddress(host: "etcd-0.etcd")),
    (" host:1 ", EtcdAddress(host: "host", port: 1)),
    ("[::1]:2379", EtcdAddress(host: "::1")),
    ("[fe80::1]", EtcdAddress(host: "fe80::1")),
    ("http://host", EtcdAddress(host: "host")),
    ("http://host:7/", EtcdAddress(host: "host", port: 7)),
    ("HTTPS://[::1]:7000", EtcdAddress(host: "::1", port: 7000, usesTLS: true)),
  ])
  func readsAddresses(text: String, address: EtcdAddress) throws {
    #expect(try EtcdAddress(parsing: text) == address)
  }

  @Test(arguments: [
    ("", "is empty"), ("redis://host", "scheme"), ("host:0", "port"), ("host:65536", "port"),
    ("host:x", "port"), ("host:+1", "port"), ("host:", "port"), (":2379", "no host"),
    ("ho st", "no DNS name"), ("::1", "brackets"), ("[::1", "brackets"), ("[host]:1", "brackets"),
    ("[::1]2379", "brackets"), ("host/1", "path"), ("http://host/v3", "path"),
    ("http://host?a=b", "path"), ("http://", "no host"), ("user:secret@host", "credentials"),
    ("https://user:secret@host", "credentials"),
  ])
  func namesTheFault(text: String, reason: String) throws {
    let error = try #require(
      #expect(throws: EtcdError.self) { try EtcdAddress(parsing: text) })
    #expect(error.kind == .configuration)
    #expect(error.message.contains(reason), "\(error)")
    #expect(!"\(error)".contains("secret"))
  }

  @Test func readsListsAndReportsAllFaultsTogether() throws {
    let addresses = try EtcdAddress.list(parsing: "a:1, https://b:2 ,[::1]:3")
    #expect(addresses.map(\.description) == ["a:1", "b:2", "[::1]:3"])
    #expect(addresses.map(\.usesTLS) == [false, true, false])
    let error = try #require(
      #expect(throws: EtcdError.self) { try EtcdAddress.list(parsing: "a:1,,b:x,a:1") })
    #expect(
      error.message
        == "address 2 '' is empty; "
        + "address 3 'b:x' has a port that is not a number from 1 to 65535; "
        + "address 4 'a:1' names a member that is already in the list")
    let secret = #expect(throws: EtcdError.self) { try EtcdAddress.list(parsing: "u:a,secret@h") }
    #expect("\(secret as Any)".contains("secret") == false)
  }

  /// Whatever is read is written as something that reads the same; nothing crashes.
  @Test func anyTextIsAnAddressOrAFault() throws {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("ab.-:/[]@%1290 \u{301}é#?http").map(String.init) + ["://", "https://"]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...8, using: &random))
        .map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
      guard let address = try? EtcdAddress(parsing: text) else { continue }
      let again = try EtcdAddress(parsing: address.description)
      #expect(again.host == address.host && again.port == address.port, "\(text)")
      #expect((1...65535).contains(address.port) && !address.host.isEmpty)
    }
  }
}
