import IPAddresses
import Testing

@Suite struct AddressGuardTests {
  private func refusal(
    _ text: String, _ rules: AddressGuard = AddressGuard()
  ) throws -> AddressGuard.Refusal? {
    let address = try #require(IPAddress(text))
    do throws(AddressGuard.Refusal) {
      try rules.check(address)
      return nil
    } catch {
      #expect(error.address == address)
      return error
    }
  }

  @Test(arguments: [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888", "::ffff:1.1.1.1",
    "64:ff9b::8.8.8.8", "2002:0101:0101::1", "3ffe:ffff::",
  ])
  func publicAddressesPass(_ text: String) throws { #expect(try refusal(text) == nil) }

  @Test(arguments: [
    ("127.0.0.1", "this host"), ("127.255.255.254", "this host"), ("0.0.0.0", "this host"),
    ("0.1.2.3", "this host"), ("::", "this host"), ("::1", "this host"),
    ("10.0.0.1", "a private network"), ("172.16.0.1", "a private network"),
    ("172.31.255.255", "a private network"), ("192.168.1.1", "a private network"),
    ("fd00::1", "a private network"), ("fc00::", "a private network"),
    ("fd00:ec2::254", "a private network"), ("fec0::1", "a private network"),
    ("169.254.169.254", "a link-local network"), ("fe80::1", "a link-local network"),
    ("febf::1", "a link-local network"), ("100.100.100.200", "a cloud's metadata"),
    ("168.63.129.16", "a cloud's metadata"), ("100.64.0.1", "a carrier's network"),
    ("100.127.255.255", "a carrier's network"), ("192.0.0.192", "reserved for protocols"),
    ("198.18.0.1", "for benchmarks"), ("198.19.255.255", "for benchmarks"),
    ("224.0.0.1", "a multicast group"), ("239.255.255.255", "a multicast group"),
    ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"), ("ff02::1", "a multicast group"),
    ("2001::1", "reserved for protocols"), ("2001:db8::1", "for documentation"),
    ("100::1", "a discarding network"), ("4000::1", "no public address"),
    ("5f00::1", "no public address"), ("200::1", "no public address"),
    ("64:ff9b:1::a00:1", "a private network"),
  ])
  func allOthersAreRefused(_ text: String, _ purpose: String) throws {
    #expect(try refusal(text)?.purpose == purpose)
  }

  @Test(arguments: [
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::",
    "2002:7f00:0001:ffff::1",
  ])
  func anAddressWithinAnotherIsRefusedAlike(_ text: String) throws {
    #expect(try refusal(text)?.purpose == "this host")
  }

  /// All that is left of the notations in which programs take addresses.
  @Test(arguments: [
    "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.1.", " 127.0.0.1", "127.0.0.1 ",
    "[::1]", "::1%lo", "localhost", "", "1.2.3", "1.2.3.4.5", "256.0.0.1", ":", ":::", "1::2::3",
    "12345::", "127.0.0.1\u{0}", "١٢٧.0.0.1",
  ])
  func otherNotationsAreNoAddresses(_ text: String) { #expect(IPAddress(text) == nil) }

  @Test func whatIsAllowedPasses() throws {
    let rules = AddressGuard(allowed: [
      try #require(AddressRange("10.1.0.0/16")), try #require(AddressRange("::1")),
    ])
    #expect(try refusal("10.1.255.1", rules) == nil)
    #expect(try refusal("::1", rules) == nil)
    #expect(try refusal("::ffff:10.1.2.3", rules) == nil)
    #expect(try refusal("10.2.0.1", rules)?.description == "10.2.0.1 is a private network")
    #expect(try refusal("127.0.0.1", AddressGuard(allowsAll: true)) == nil)
  }
}
