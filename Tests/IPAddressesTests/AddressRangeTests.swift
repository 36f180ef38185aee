import IPAddresses
import Testing

@Suite struct AddressRangeTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false),
    ("10.0.7.0/24", "10.0.7.255", true), ("10.0.7.0/24", "10.0.8.0", false),
    ("10.0.6.0/23", "10.0.7.1", true), ("10.0.6.0/23", "10.0.8.1", false),
    ("128.0.0.0/1", "255.0.0.0", true), ("128.0.0.0/1", "127.0.0.0", false),
    ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false), ("::/0", "1.2.3.4", false),
    ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
    ("1.2.3.4", "1.2.3.4", true), ("1.2.3.4/32", "1.2.3.5", false),
    // Bits behind the prefix do not count.
    ("10.9.9.9/8", "10.0.0.1", true),
  ])
  func membership(_ range: String, _ address: String, _ isMember: Bool) throws {
    let range = try #require(AddressRange(range))
    #expect(range.contains(try #require(IPAddress(address))) == isMember)
  }

  @Test(arguments: [
    "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10/8", "::/129", "a/8", "10.0.0.0/8/8",
  ])
  func whatIsNoRange(_ text: String) { #expect(AddressRange(text) == nil) }

  @Test(arguments: ["1.2.3.4/32", "10.0.0.0/8", "fd00::/8", "::/0", "2001:db8::1/128"])
  func isWrittenAsItIsRead(_ text: String) throws {
    #expect(try #require(AddressRange(text)).description == text)
  }
}
