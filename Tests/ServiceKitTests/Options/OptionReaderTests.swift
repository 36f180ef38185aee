import ServiceKit
import Testing

@Suite struct OptionReaderTests {
  private enum Mode: String, CaseIterable { case redlock, etcd, memory }

  private func lines(_ body: (inout OptionReader) -> Void) -> [String] {
    lines(environment: [:], body)
  }

  private func lines(
    environment: [String: String], _ body: (inout OptionReader) -> Void
  ) -> [String] {
    var reader = OptionReader(environment: environment)
    body(&reader)
    do {
      try reader.finish()
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  /// What is read, which must be without fault.
  private func read<Value>(
    _ environment: [String: String], _ body: (inout OptionReader) -> Value
  ) throws -> Value {
    var reader = OptionReader(environment: environment)
    let value = body(&reader)
    try reader.finish()
    return value
  }

  @Test func prefersTheFlagThenTheEnvironmentThenTheDefault() throws {
    let set = ["PORT": "2"]
    #expect(try read(set) { $0.integer("port", flag: "1", default: 3, in: 1...9) } == 1)
    #expect(try read(set) { $0.integer("port", flag: nil, default: 3, in: 1...9) } == 2)
    #expect(try read([:]) { $0.integer("port", flag: nil, default: 3, in: 1...9) } == 3)
    #expect(try read([:]) { $0.integer("port", flag: nil, in: 1...9) } == nil)
  }

  @Test func anEmptyVariableIsNotSetButAnEmptyFlagIs() throws {
    let set = ["KEY_PREFIX": ""]
    #expect(try read(set) { $0.string("key-prefix", flag: nil, default: "d") } == "d")
    #expect(try read(set) { $0.string("key-prefix", flag: "", default: "d") } == "")
  }

  @Test(arguments: [
    ("redis-addresses", "REDIS_ADDRESSES"), ("certDir", "CERT_DIR"), ("port", "PORT"),
    ("enable-http2", "ENABLE_HTTP2"), ("clientCAFile", "CLIENT_CA_FILE"),
    ("http2Port", "HTTP2_PORT"),
  ])
  func namesTheTwinInUpperCase(option: String, variable: String) {
    #expect(EnvironmentName.twin(of: option) == variable)
  }

  @Test func readsEveryType() throws {
    let set = [
      "MODE": "etcd", "WAIT": "1m30s", "ADDRESSES": "a:1, b:2", "BIND": ":80", "FAST": "yes",
    ]
    #expect(try read(set) { $0.choice("mode", flag: nil, default: Mode.redlock) } == .etcd)
    #expect(try read(set) { $0.duration("wait", flag: nil, default: .zero) } == .seconds(90))
    #expect(try read(set) { $0.list("addresses", flag: nil, default: []) } == ["a:1", "b:2"])
    #expect(
      try read(set) { $0.address("bind", flag: nil, default: .abstract(name: "x")) }
        == .tcp(host: "", port: 80))
    #expect(try read(set) { $0.bool("fast", flag: nil, default: false) })
    #expect(try read(set) { !$0.bool("fast", flag: false, default: true) })
  }

  @Test func reportsAllFaultsTogetherEachOnOneLine() {
    let lines = lines(environment: [
      "MODE": "zoo\nkeeper", "WAIT": "soon", "FAST": "maybe", "NODE": "n1",
    ]) {
      _ = $0.integer("port", flag: "70000", default: 1, in: 1...65535)
      _ = $0.choice("mode", flag: nil, default: Mode.redlock)
      _ = $0.duration("wait", flag: nil, default: .zero, in: .seconds(1)...(.seconds(3600)))
      _ = $0.list("names", flag: "a,,b", default: [])
      _ = $0.address("bind", flag: "nowhere", default: .abstract(name: "x"))
      _ = $0.bool("fast", flag: nil, default: false)
      $0.reject("key", value: nil, allowed: "a key")
      let node = $0.string("node", flag: nil)
      $0.reject("node", value: node, allowed: "a node beside --names")
    }
    #expect(
      lines == [
        "--port: '70000' is not allowed; allowed: a whole number from 1 to 65535",
        "--mode (from the environment variable MODE): 'zoo keeper' is not allowed; "
          + "allowed: redlock, etcd, memory",
        "--wait (from the environment variable WAIT): 'soon' is not allowed; "
          + "allowed: a duration such as 1m30s or 500ms, from 1s to 1h",
        "--names: 'a,,b' is not allowed; allowed: texts, separated by commas, none empty",
        "--bind: 'nowhere' is not allowed; "
          + "allowed: host:port, [::1]:port, :port, unix:/path or unix:@name",
        "--fast (from the environment variable FAST): 'maybe' is not allowed; "
          + "allowed: true or false",
        "--key: not usable; allowed: a key",
        "--node (from the environment variable NODE): 'n1' is not allowed; "
          + "allowed: a node beside --names",
      ])
  }

  @Test func aFaultKeepsTheDefaultSoThatReadingGoesOn() {
    var reader = OptionReader(environment: [:])
    let port = reader.integer("port", flag: "x", default: 7, in: 1...9)
    #expect(port == 7)
  }

  @Test func longValuesAreCut() {
    let lines = lines { reader in
      _ = reader.integer("n", flag: String(repeating: "9", count: 5000), default: 1, in: 1...2)
    }
    #expect(lines.count == 1 && lines[0].count < 400)
  }

  @Test func secretsComeFromTheEnvironmentOrAFile() async throws {
    try await withTemporaryDirectory { directory in
      try write("from-file\n", to: directory + "/s")
      let file = directory + "/s"
      let set = ["A_PASSWORD": "from-variable", "B_PASSWORD_FILE": file]
      #expect(try read(set) { $0.secret("a-password", file: nil)?.reveal } == "from-variable")
      #expect(try read(set) { $0.secret("b-password", file: nil)?.reveal } == "from-file")
      #expect(try read(set) { $0.secret("a-password", file: file)?.reveal } == "from-file")
      #expect(try read(set) { $0.secret("c-password", file: nil)?.reveal } == nil)
    }
  }

  @Test func faultsOfSecretsDoNotShowThem() async throws {
    try await withTemporaryDirectory { directory in
      try write("\n", to: directory + "/empty")
      let lines = lines(environment: [
        "A": "hunter2", "A_FILE": directory + "/empty", "C_FILE": directory + "/empty",
      ]) {
        _ = $0.secret("a", file: nil)
        _ = $0.secret("b", file: directory + "/missing")
        _ = $0.secret("c", file: nil)
      }
      #expect(
        lines == [
          "--a-file (from the environment variable A_FILE): not usable; "
            + "allowed: either A or A_FILE, not both",
          "--b-file: '\(directory)/missing' is not allowed; "
            + "allowed: a file that can be read (no such file or directory)",
          "--c-file (from the environment variable C_FILE): '\(directory)/empty' is not allowed; "
            + "allowed: a file that is not empty",
        ])
    }
  }

  @Test func secretsDoNotPrint() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump([secret], to: &dumped)
    #expect(!"\(secret) \([secret]) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
  }

  @Test func theEnvironmentOfTheProcessIsRead() {
    #expect(ProcessEnvironment.current["PATH"]?.isEmpty == false)
  }
}
