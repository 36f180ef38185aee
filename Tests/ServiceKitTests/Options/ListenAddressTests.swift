import ServiceKit
import Testing

@Suite struct ListenAddressTests {
  @Test(arguments: [
    ("0.0.0.0:8080", ListenAddress.tcp(host: "0.0.0.0", port: 8080)),
    (":8081", .tcp(host: "", port: 8081)), ("[::1]:65535", .tcp(host: "::1", port: 65535)),
    ("localhost:0", .tcp(host: "localhost", port: 0)), ("unix:/run/a b", .unix(path: "/run/a b")),
    ("unix:@lock", .abstract(name: "lock")),
  ])
  func readsAndWritesAddresses(text: String, wanted: ListenAddress) {
    #expect(ListenAddress(text) == wanted)
    #expect(wanted.description == text)
  }

  @Test(arguments: [
    "", "8080", ":", "host:", "::1:80", "host:65536", "host:-1", "host:+1", "[host]:80", "[::1]",
    "[::1]80", "http://host:80", "a b:80", "unix:", "unix:@", "unix:/", "unix:relative",
    "unix:/" + String(repeating: "x", count: 107), "host:8o",
  ])
  func refusesEverythingElse(text: String) { #expect(ListenAddress(text) == nil) }

  @Test func knowsItsPort() {
    #expect(ListenAddress(":80")?.port == 80)
    #expect(ListenAddress("unix:@a")?.port == nil)
  }
}
