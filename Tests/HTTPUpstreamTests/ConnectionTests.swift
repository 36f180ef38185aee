import EventLoops
import HTTPUpstream
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite("Upstream: connections")
struct ConnectionTests {
  private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  @Test("A connection that closes between requests is replaced, unseen")
  func closedWhileIdle() async throws {
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await connection.send(Self.ok)
    } _: { server in
      try await withUpstream(server.port) { upstream in
        for _ in 0..<20 {
          let answer = try await upstream.get()
          #expect(answer == "200 ok")
        }
        #expect(server.connectionCount == 20)
      }
    }
  }

  @Test("A request that meets a closing connection is sent again only if that does no harm")
  func stale() async throws {
    let seen = Mutex<[String]>([])
    try await ScriptedServer.with { connection in
      while let head = try await connection.head() {
        let method = String(head.prefix { $0 != " " })
        seen.withLock { $0.append("\(method) \(connection.number)") }
        // The second request of each connection gets no answer.
        if seen.withLock({ $0.filter { $0.hasSuffix(" \(connection.number)") }.count }) == 2 {
          return
        }
        try await connection.send(Self.ok)
      }
    } _: { server in
      try await withUpstream(server.port) { upstream in
        let answer1 = try await upstream.get()
        #expect(answer1 == "200 ok")
        let answer2 = try await upstream.get()
        #expect(answer2 == "200 ok")
        let error = await upstream.failure(HTTPUpstreamRequest(.POST, "/"))
        #expect(error?.kind == .closed)
        #expect(error?.mayHaveRun == true)
      }
      #expect(seen.withLock { $0 } == ["GET 1", "GET 1", "GET 2", "POST 2"])
    }
  }

  @Test("A server that went away in between may have seen the request")
  func goneAway() async throws {
    let (isSecond, isGone) = (Signal(), Signal())
    try await ScriptedServer.with { connection in
      _ = try await connection.head()
      try await connection.send(Self.ok)
      _ = try await connection.head()
      isSecond.send()
      await isGone.wait()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        #expect(try await upstream.get() == "200 ok")
        let error = try await withThrowingTaskGroup(of: HTTPUpstreamError?.self) { group in
          group.addTask { await upstream.failure(HTTPUpstreamRequest(.GET, "/")) }
          await isSecond.wait()
          try await server.stopListening()
          isGone.send()
          return try await group.next() ?? nil
        }
        #expect(error?.kind == .notConnected)
        #expect(error?.mayHaveRun == true)
      }
    }
  }

  @Test("Requests beyond the connections wait, and beyond that are refused")
  func bounded() async throws {
    let go = Signal()
    let isBusy = Signal()
    try await ScriptedServer.with { connection in
      while try await connection.head() != nil {
        isBusy.send()
        await go.wait()
        try await connection.send(Self.ok)
      }
    } _: { server in
      try await withUpstream(
        server.port,
        {
          $0.maximumConnections = 1
          $0.maximumWaiting = 3
        }
      ) { upstream in
        let outcomes = await withTaskGroup(of: HTTPUpstreamError.Kind?.self) { group in
          for number in 0..<10 {
            group.addTask { await upstream.failure(HTTPUpstreamRequest(.GET, "/"))?.kind }
            if number == 0 { await isBusy.wait() }
          }
          var outcomes: [HTTPUpstreamError.Kind?] = []
          for await outcome in group {
            outcomes.append(outcome)
            if outcomes.count == 6 { go.send() }
          }
          return outcomes
        }
        #expect(outcomes.prefix(6) == [.busy, .busy, .busy, .busy, .busy, .busy])
        #expect(outcomes.dropFirst(6) == [nil, nil, nil, nil])
        #expect(server.connectionCount == 1)
      }
    }
  }

  @Test("Nobody there, too slow an answer, too slow a body: each has its end")
  func timeouts() async throws {
    try await ScriptedServer.with { connection in
      let head = try await connection.head()
      if head?.hasPrefix("GET /body") == true {
        try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
      }
      try await connection.waitForEnd()
    } _: { server in
      try await withUpstream(
        server.port,
        {
          $0.answerTimeout = .milliseconds(100)
          $0.bodyIdleTimeout = .milliseconds(100)
        }
      ) { upstream in
        let slow = await upstream.failure(HTTPUpstreamRequest(.GET, "/"))
        #expect(slow?.kind == .timedOut)
        #expect(slow?.mayHaveRun == true)
        #expect(await upstream.failure(HTTPUpstreamRequest(.GET, "/body"))?.kind == .timedOut)
      }
    }
    try await withUpstream(1) { upstream in
      let error = await upstream.failure(HTTPUpstreamRequest(.GET, "/"))
      #expect(error?.kind == .notConnected)
      #expect(error?.mayHaveRun == false)
    }
  }

  @Test("Cancellation closes the connection, at any stage")
  func cancellation() async throws {
    let closed = Mutex(0)
    let reached = ["/": Signal(), "/body": Signal()]
    try await ScriptedServer.with { connection in
      let head = try await connection.head()
      if head?.hasPrefix("GET /body") == true {
        try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        reached["/body"]?.send()
      } else {
        reached["/"]?.send()
      }
      // However it ends: with a reset if the client has not read all of it.
      try? await connection.waitForEnd()
      closed.withLock { $0 += 1 }
    } _: { server in
      try await withUpstream(server.port) { upstream in
        for target in ["/", "/body"] {
          let error = await withTaskGroup(of: HTTPUpstreamError?.self) { group in
            group.addTask { await upstream.failure(HTTPUpstreamRequest(.GET, target)) }
            await reached[target]?.wait()
            group.cancelAll()
            return await group.next() ?? nil
          }
          #expect(error?.kind == .cancelled)
        }
        while closed.withLock({ $0 }) < 2 { await Task.yield() }
      }
    }
  }

  @Test("A task on an event loop stays there, and uses its connections")
  func affinity() async throws {
    try await ScriptedServer.with { connection in
      while try await connection.head() != nil { try await connection.send(Self.ok) }
    } _: { server in
      try await withUpstream(server.port) { upstream in
        for eventLoop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
          let stays = try await withTaskExecutorPreference(EventLoopTaskExecutor(eventLoop)) {
            () async throws -> Bool in
            for _ in 0..<10 {
              guard try await upstream.get() == "200 ok", eventLoop.inEventLoop else {
                return false
              }
            }
            return true
          }
          #expect(stays)
        }
      }
      var loops = 0
      for _ in MultiThreadedEventLoopGroup.singleton.makeIterator() { loops += 1 }
      #expect(server.connectionCount == loops)
    }
  }

  @Test("After shutdown requests fail, and connections close")
  func shutDown() async throws {
    let ended = Signal()
    try await ScriptedServer.with { connection in
      while try await connection.head() != nil { try await connection.send(Self.ok) }
      ended.send()
    } _: { server in
      try await withUpstream(server.port) { upstream in
        let answer3 = try await upstream.get()
        #expect(answer3 == "200 ok")
        upstream.shutDown()
        await ended.wait()
        #expect(await upstream.failure(HTTPUpstreamRequest(.GET, "/"))?.kind == .shutDown)
      }
    }
  }
}
