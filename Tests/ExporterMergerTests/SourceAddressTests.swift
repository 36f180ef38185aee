import ExporterMerger
import Testing

@Suite struct SourceAddressTests {
  @Test(arguments: [
    ("http://localhost:9100/metrics", "http://localhost:9100/metrics"),
    ("HTTPS://h/", "https://h/"), ("http://h", "http://h/"),
    ("http://user:secret@h:1/m?token=secret#x", "http://h:1/m"), ("http://h?a=b", "http://h/"),
    ("http://[::1]:9100/m", "http://[::1]:9100/m"),
    ("unix:/run/x.sock", "unix:/run/x.sock:/metrics"),
    ("unix:///run/x.sock:/m?a=b", "unix:/run/x.sock:/m"),
    ("file:/a/b.prom", "file:/a/b.prom"), ("file:///a/b.prom", "file:/a/b.prom"),
  ])
  func hasALabelWithoutSecrets(text: String, label: String) {
    #expect(SourceAddress(text)?.label == label)
  }

  @Test(arguments: [
    "", "h:9100", "localhost:9100/metrics", "http:/h", "http://", "http://h:0", "http://h:99999",
    "http://h:x/", "http://a b/", "http://h/é", "http://[::1/", "http://%41/", "unix:", "unix:run",
    "unix:/", "unix:/a:b", "file:", "file:a", "file:/", "ftp://h/x", "http://a%zz@h/",
    "unix:/" + String(repeating: "x", count: 107),
  ])
  func refusesWhatIsNoAddress(text: String) {
    #expect(SourceAddress(text) == nil)
  }

  @Test func keepsUserInfoForTheSourceOnly() {
    #expect(
      SourceAddress("http://me:p%40ss@h/m?q=1")
        == .http(url: "http://h/m?q=1", authorization: "Basic bWU6cEBzcw=="))
  }

  @Test func numbersSourcesThatTheirLabelsDoNotTellApart() {
    let addresses = ["http://h/probe?a", "http://h/probe?b", "http://h/x", "http://h/probe?c"]
    #expect(
      Source.all(addresses.compactMap { SourceAddress($0) }).map(\.label)
        == ["http://h/probe", "http://h/probe#2", "http://h/x", "http://h/probe#3"])
  }

  @Test func everySourceHasALabelOfItsOwn() {
    let addresses = ["file:/a", "file:/a", "file:/a#2", "file:/a", "file:/a#2"]
    #expect(
      Source.all(addresses.compactMap { SourceAddress($0) }).map(\.label)
        == ["file:/a", "file:/a#2", "file:/a#2#2", "file:/a#3", "file:/a#2#3"])
  }

  @Test func userInfoHasAColonEvenWithoutAPassword() {
    #expect(SourceAddress("http://me@h/") == .http(url: "http://h/", authorization: "Basic bWU6"))
  }
}
