import FilteringProxy
import LocalServers
import NIOCore
import Testing

@Suite struct FilteringProxyTests {
  @Test func whatIsAllowedIsReachedByAddressAndByName() async throws {
    try await withEchoServer { port in
      let resolver = ScriptedResolver(["echo.test": [["127.0.0.2"]]])
      try await withProxy(resolver: resolver) { proxy, events in
        for kind in ["name", "address", "literal"] {
          let client = try await SOCKSClient(proxy.port)
          let code =
            switch kind {
            case "name": try await client.connect(to: "echo.test", port: port)
            case "literal": try await client.connect(to: "127.0.0.2", port: port)
            default: try await client.connect(1, [127, 0, 0, 2], port: port)
            }
          #expect(code == 0)
          try await client.write("hello")
          #expect(try await client.text(5) == "hello")
          // One side has said all; the other answers still.
          try await client.closeWriting()
          #expect(String(decoding: try await client.rest(), as: UTF8.self) == "bye")
          try await client.close()
        }
        #expect(resolver.asked.current == ["echo.test"])
        #expect(events.current.count == 3)
        #expect(events.current.first == .connected("echo.test:\(port)"))
      }
    }
  }

  @Test func bytesThatComeWithTheRequestAreNotLost() async throws {
    try await withEchoServer { port in
      try await withProxy { proxy, _ in
        let client = try await SOCKSClient(proxy.port)
        try await client.write(
          [5, 1, 0] + [5, 1, 0, 1, 127, 0, 0, 2, UInt8(port >> 8), UInt8(port & 255)]
            + Array("early".utf8))
        #expect(try await client.read(12).last == 0)
        #expect(try await client.text(5) == "early")
        try await client.close()
      }
    }
  }

  @Test(arguments: ["localhost", "ip6-localhost", "127.0.0.1", "2130706433", "0x7f.1", "::1", "0"])
  func whateverMeansThisMachineIsRefused(_ name: String) async throws {
    try await withEchoServer(host: "127.0.0.1") { port in
      try await withProxy { proxy, events in
        let client = try await SOCKSClient(proxy.port)
        let code = try await client.connect(to: name, port: port)
        // Some systems do not know all of these names.
        #expect(code == 2 || (code == 4 && name.contains("local")))
        #expect(try await client.rest().isEmpty)
        try await client.close()
        if code == 2 {
          guard case .refused(_, let reason) = events.current.first else {
            Issue.record("\(events.current)")
            return
          }
          #expect(reason.hasSuffix("is this host"))
        }
      }
    }
  }

  @Test func aNameThatChangesItsAnswerIsCheckedEachTime() async throws {
    try await withEchoServer { port in
      let resolver = ScriptedResolver(["rebind.test": [["127.0.0.2"], ["127.0.0.1"]]])
      try await withProxy(resolver: resolver) { proxy, events in
        for expected in [UInt8(0), 2, 2] {
          let client = try await SOCKSClient(proxy.port)
          #expect(try await client.connect(to: "rebind.test", port: port) == expected)
          try await client.close()
        }
        // Looked up once for each connection, which is made to what was found then.
        #expect(resolver.asked.current.count == 3)
        #expect(
          events.current.last
            == .refused("rebind.test:\(port)", reason: "127.0.0.1 is this host"))
      }
    }
  }

  @Test func ofSeveralAddressesOnlyThoseAllowedAreTried() async throws {
    try await withEchoServer { port in
      // Nobody listens on 127.0.0.2 there: the next address is tried after it.
      let resolver = ScriptedResolver([
        "mixed.test": [["127.0.0.1", "10.0.0.1", "127.0.0.2"]], "none.test": [[]],
      ])
      try await withProxy(resolver: resolver) { proxy, events in
        let client = try await SOCKSClient(proxy.port)
        #expect(try await client.connect(to: "mixed.test", port: port) == 0)
        try await client.close()
        let second = try await SOCKSClient(proxy.port)
        #expect(try await second.connect(to: "none.test", port: port) == 4)
        try await second.close()
      }
    }
  }

  @Test func whyThereIsNoConnectionIsSaid() async throws {
    let free = try FreePort.next()
    let resolver = ScriptedResolver([:])
    try await withProxy(resolver: resolver, { $0.timeout = .milliseconds(300) }) { proxy, events in
      let refused = try await SOCKSClient(proxy.port)
      #expect(try await refused.connect(1, [127, 0, 0, 2], port: free) == 5)
      let unanswered = try await SOCKSClient(proxy.port)
      #expect(try await unanswered.connect(to: "never.test", port: 80) == 4)
      #expect(
        events.current == [
          .failed("127.0.0.2:\(free)", reason: "connection refused"),
          .failed("never.test:80", reason: "the name has no address: no answer in time"),
        ])
      // Nor is a client waited for.
      let silent = try await SOCKSClient(proxy.port)
      #expect(try await silent.rest().isEmpty)
      for client in [refused, unanswered, silent] { try await client.close() }
    }
  }

  @Test func whatIsNoSOCKSIsTurnedAway() async throws {
    try await withProxy { proxy, _ in
      for (bytes, answer) in [
        (Array("GET / HTTP/1.1\r\n\r\n".utf8), [5, 1]), ([5, 1, 2], [5, 0xff]),
        ([5, 1, 0, 5, 2, 0, 1], [5, 0, 5, 7]),
      ] as [([UInt8], [UInt8])] {
        let client = try await SOCKSClient(proxy.port)
        try await client.write(bytes)
        #expect(Array(try await client.rest().prefix(answer.count)) == answer)
        try await client.close()
      }
    }
  }

  @Test func connectionsBeyondTheLimitAreClosed() async throws {
    try await withProxy({ $0.maximumConnections = 2 }) { proxy, _ in
      let first = try await SOCKSClient(proxy.port)
      let second = try await SOCKSClient(proxy.port)
      for client in [first, second] {
        try await client.write([5, 1, 0])
        #expect(try await client.read(2) == [5, 0])
      }
      let third = try await SOCKSClient(proxy.port)
      #expect(try await third.rest().isEmpty)
      for client in [first, third] { try await client.close() }
      try await withDeadline(.seconds(30), "there is room again") {
        while true {
          let next = try await SOCKSClient(proxy.port)
          // Closed at once while the first is still seen as open.
          try? await next.write([5, 1, 0])
          let answer = try await next.read(2)
          try? await next.close()
          if answer == [5, 0] { return }
        }
      }
      try await second.close()
    }
  }

  /// curl leaves names to the proxy, as browsers do.
  @Test func curlGoesThroughIt() async throws {
    let resolver = ScriptedResolver(["web.test": [["127.0.0.2"]]])
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    try await withEchoServer(answer: answer) { port in
      try await withProxy(resolver: resolver) { proxy, _ in
        try await withLocalProcesses { processes in
          // 97: the proxy says no.
          for (host, code, output) in [
            ("web.test", Int32(0), "hello"), ("127.0.0.1", 97, "(2)"), ("[::1]", 97, "(2)"),
          ] {
            let process = try await processes.start(
              LocalProcess.Command(
                name: "curl", executable: "curl",
                arguments: [
                  "-sS", "--max-time", "20", "--socks5-hostname", "127.0.0.1:\(proxy.port)",
                  "http://\(host):\(port)/",
                ]))
            #expect(try await process.waitForExit() == .exited(code))
            #expect(process.output.contains { $0.contains(output) }, "\(process.output)")
          }
        }
      }
    }
  }
}
