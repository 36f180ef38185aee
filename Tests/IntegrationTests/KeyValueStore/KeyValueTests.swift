import AsyncHTTPClient
import JSON
import LocalServers
import NIOCore
import NIOHTTP1
import Testing

/// The table of requests and answers, over real connections.
@Suite struct KeyValueTests {
  @Test func aValueComesBackAsItWasStored() async throws {
    try await withKeyValueServer { server, _ async throws in
      let stored = try await server.send(.PUT, "/a/b", "hello", ["content-type": "text/css"])
      #expect(stored.status == 200)
      #expect(stored.text == "OK")
      let tag = try #require(stored.headers.first(name: "etag"))
      let read = try await server.send(.GET, "/a/b")
      #expect(read.status == 200)
      #expect(read.text == "hello")
      #expect(read.headers.first(name: "content-type") == "text/css")
      #expect(read.headers.first(name: "content-length") == "5")
      #expect(read.headers.first(name: "etag") == tag)
      #expect(read.headers.first(name: "accept-ranges") == "bytes")
      #expect(read.headers.first(name: "last-modified")?.hasSuffix(" GMT") == true)
      let head = try await server.send(.HEAD, "/a/b")
      #expect(head.status == 200)
      #expect(head.body.isEmpty)
      for name in ["content-type", "content-length", "etag", "accept-ranges", "last-modified"] {
        #expect(head.headers[name] == read.headers[name], "\(name)")
      }
      #expect(try await server.send(.DELETE, "/a/b").text == "OK")
      #expect(try await server.send(.DELETE, "/a/b").status == 200)
      let missing = try await server.send(.GET, "/a/b")
      #expect(missing.status == 404)
      #expect(missing.text == "Not Found")
    }
  }

  @Test func keysOfEveryKindAreTheirOwn() async throws {
    try await withKeyValueServer { server, _ async throws in
      let paths = [
        "/a", "/a/", "/a/b", "//a", "/a//b", "/a%20b", "/a+b", "/%5Bx%5D", "/%C3%BC", "/%2525",
        "/a%3Fb", "/a%23b", "/.a", "/...", "/%0A", "/%01", "/%EF%BF%BD", "/a%2Fb%2F", "/healthz/",
        "/" + String(repeating: "a", count: 1024), "/A", "/~", "/a%5Cb", "/e%CC%81", "/%C3%A9",
      ]
      for path in paths { #expect(try await server.send(.PUT, path, path).status == 200) }
      for path in paths { #expect(try await server.send(.GET, path).text == path) }
      #expect(try await server.send(.GET, "/a%2Fb").text == "/a/b")
      for path in ["/a/../b", "/%2e", "/a%00", "/%FF", "/a?b=c", "/"] {
        #expect(try await server.send(.PUT, path, "x").status == 400, "\(path)")
      }
      #expect(try await server.send(.GET, "/").text == "missing key")
    }
  }

  @Test func rangesAreServed() async throws {
    try await withKeyValueServer { server, _ async throws in
      let tag = try #require(
        try await server.send(.PUT, "/v", "0123456789").headers.first(name: "etag"))
      _ = try await server.send(.PUT, "/empty", "")
      func get(_ range: String, _ more: HTTPHeaders = [:], _ key: String = "/v") async throws
        -> Reply
      {
        var headers = more
        headers.add(name: "range", value: range)
        return try await server.send(.GET, key, nil, headers)
      }
      let part = try await get("bytes=2-4")
      #expect(part.status == 206)
      #expect(part.text == "234")
      #expect(part.headers.first(name: "content-range") == "bytes 2-4/10")
      #expect(try await get("bytes=8-100").text == "89")
      #expect(try await get("bytes=-3").text == "789")
      #expect(try await get("bytes=7-").text == "789")
      let none = try await get("bytes=10-")
      #expect(none.status == 416)
      #expect(none.headers.first(name: "content-range") == "bytes */10")
      let several = try await get("bytes=0-1,4-5")
      #expect(several.status == 200)
      #expect(several.text == "0123456789")
      #expect(try await get("bytes=0-1", ["if-range": tag]).status == 206)
      #expect(try await get("bytes=0-1", ["if-range": "\"other\""]).status == 200)
      #expect(try await get("bytes=0-", [:], "/empty").status == 416)
      #expect(try await server.send(.GET, "/empty").headers.first(name: "content-length") == "0")
      #expect(try await server.send(.HEAD, "/v", nil, ["range": "bytes=0-1"]).status == 200)
    }
  }

  @Test func readsAreConditional() async throws {
    try await withKeyValueServer { server, _ async throws in
      let stored = try await server.send(.PUT, "/v", "x")
      let tag = try #require(stored.headers.first(name: "etag"))
      let time = try #require(
        try await server.send(.GET, "/v").headers.first(name: "last-modified"))
      let old = "Sun, 06 Nov 1994 08:49:37 GMT"
      let cases: [(HTTPHeaders, UInt)] = [
        (["if-none-match": tag], 304), (["if-none-match": "W/\(tag)"], 304),
        (["if-none-match": "*"], 304), (["if-none-match": "\"other\""], 200),
        (["if-modified-since": time], 304), (["if-modified-since": old], 200),
        (["if-match": tag], 200), (["if-match": "\"other\", \(tag)"], 200),
        (["if-match": "\"other\""], 412), (["if-match": "W/\(tag)"], 412),
        (["if-unmodified-since": time], 200), (["if-unmodified-since": old], 412),
        (["if-none-match": "x"], 400),
      ]
      for (headers, status) in cases {
        for method in [HTTPMethod.GET, .HEAD] {
          let reply = try await server.send(method, "/v", nil, headers)
          #expect(reply.status == status, "\(method) \(headers)")
          if status == 304 {
            #expect(reply.headers.first(name: "etag") == tag)
            #expect(reply.body.isEmpty)
          }
        }
      }
      #expect(try await server.send(.GET, "/none", nil, ["if-match": "*"]).status == 412)
    }
  }

  @Test func changesAreConditional() async throws {
    try await withKeyValueServer { server, _ async throws in
      #expect(try await server.send(.PUT, "/v", "x", ["if-match": "*"]).status == 412)
      #expect(try await server.send(.DELETE, "/v", nil, ["if-match": "*"]).status == 412)
      let first = try await server.send(.PUT, "/v", "1", ["if-none-match": "*"])
      #expect(first.status == 200)
      #expect(try await server.send(.POST, "/v", "2", ["if-none-match": "*"]).status == 412)
      let tag = try #require(first.headers.first(name: "etag"))
      let second = try await server.send(.PUT, "/v", "2", ["if-match": tag])
      #expect(second.status == 200)
      #expect(try await server.send(.PUT, "/v", "3", ["if-match": tag]).status == 412)
      #expect(try await server.send(.DELETE, "/v", nil, ["if-match": tag]).status == 412)
      #expect(try await server.send(.GET, "/v").text == "2")
      let newest = try #require(second.headers.first(name: "etag"))
      #expect(try await server.send(.DELETE, "/v", nil, ["if-match": newest]).status == 200)
    }
  }

  @Test func typesThatNobodyChoseAreFoundOut() async throws {
    try await withKeyValueServer { server, _ async throws in
      func type(_ body: String, _ type: String?) async throws -> String? {
        _ = try await server.send(.POST, "/v", body, type.map { ["content-type": $0] } ?? [:])
        return try await server.send(.HEAD, "/v").headers.first(name: "content-type")
      }
      #expect(
        try await type("a=b", "application/x-www-form-urlencoded") == "text/plain; charset=utf-8")
      #expect(try await type("<!doctype html><p>", nil) == "text/html; charset=utf-8")
      #expect(try await type("%PDF-1.7", "application/octet-stream") == "application/pdf")
      #expect(try await type("<html>", "text/plain") == "text/plain")
      #expect(try await type("", nil) == "text/plain; charset=utf-8")
    }
  }

  @Test func aValueEndsWithItsTime() async throws {
    try await withKeyValueServer { server, _ async throws in
      #expect(try await server.send(.PUT, "/v", "x", ["x-kvs-ttl": "1"]).status == 200)
      #expect(try await server.send(.PUT, "/long", "x", ["x-kvs-ttl": "3600"]).status == 200)
      let left = try await server.send(.HEAD, "/long").headers.first(name: "x-kvs-ttl")
      #expect(left.flatMap { Int($0) }.map { (3500...3600).contains($0) } == true)
      try await eventually("the value is gone") {
        try await server.send(.GET, "/v").status == 404 ? true : nil
      }
      // Whoever creates it again is the first.
      #expect(try await server.send(.PUT, "/v", "y", ["if-none-match": "*"]).status == 200)
      #expect(try await server.send(.PUT, "/v", "x", ["x-kvs-ttl": "0"]).status == 400)
      #expect(try await server.send(.PUT, "/v", "x", ["x-kvs-ttl": "soon"]).status == 400)
    }
  }

  @Test func keysAreListedPageByPage() async throws {
    try await withKeyValueServer { server, _ async throws in
      for key in ["a/1", "a/2", "a/b/3", "a/b/4", "b"] {
        _ = try await server.send(.PUT, "/\(key)", key)
      }
      func list(_ query: String) async throws -> JSONValue {
        let reply = try await server.send(.GET, "/?\(query)")
        #expect(reply.headers.first(name: "content-type") == "application/json")
        return try JSONValue(parsing: reply.body)
      }
      func keys(_ page: JSONValue) -> [String] {
        page["keys"]?.array?.compactMap { $0["key"]?.string } ?? []
      }
      let all = try await list("prefix=")
      #expect(keys(all) == ["a/1", "a/2", "a/b/3", "a/b/4", "b"])
      #expect(all["next"] == .null)
      let object = try #require(all["keys"]?.array?.last)
      #expect(object["size"] == 1)
      let tag = try await server.send(.HEAD, "/b").headers.first(name: "etag")
      #expect(object["etag"]?.string == tag)
      let page = try await list("prefix=a/&limit=2")
      #expect(keys(page) == ["a/1", "a/2"])
      let next = try #require(page["next"]?.string)
      #expect(keys(try await list("prefix=a/&after=\(next)")) == ["a/b/3", "a/b/4"])
      let folded = try await list("prefix=a/&delimiter=/")
      #expect(keys(folded) == ["a/1", "a/2"])
      #expect(folded["prefixes"] == ["a/b/"])
      let unknown = try await server.send(.GET, "/?marker=a", nil, ["accept": "application/json"])
      #expect(unknown.status == 400)
      #expect(
        try JSONValue(parsing: unknown.body)["error"]
          == "unknown parameter; allowed are prefix, limit, after and delimiter")
    }
  }

  @Test func whatIsTooLargeIsNotStored() async throws {
    try await withKeyValueServer("--max-value-bytes", "1KiB") { server, _ async throws in
      #expect(try await server.send(.PUT, "/v", "old").status == 200)
      let large = Array(repeating: UInt8(ascii: "x"), count: 1025)
      for isChunked in [false, true] {
        let reply = try await HTTPClient.shared.post(
          server.url + "/v", large, isChunked: isChunked)
        #expect(reply.status == 413)
      }
      #expect(try await server.send(.GET, "/v").text == "old")
      let largest = Array(repeating: UInt8(ascii: "x"), count: 1024)
      for isChunked in [false, true] {
        let reply = try await HTTPClient.shared.post(
          server.url + "/v", largest, isChunked: isChunked)
        #expect(reply.status == 200)
      }
    }
  }

  @Test func otherRequestsAreToldWhatIsAllowed() async throws {
    try await withKeyValueServer("--cors-origins", "https://app.example") {
      server, _ async throws in
      let patch = try await server.send(.PATCH, "/v", "x")
      #expect(patch.status == 405)
      #expect(patch.headers.first(name: "allow") == "GET, HEAD, POST, PUT, DELETE, OPTIONS")
      #expect(try await server.send(.PUT, "/healthz", "x").status == 405)
      #expect(try await server.send(.GET, "/healthz").text == "OK")
      let preflight = try await server.send(
        .OPTIONS, "/v", nil,
        ["origin": "https://app.example", "access-control-request-method": "PUT"])
      #expect(preflight.status == 204)
      let origin = "access-control-allow-origin"
      #expect(preflight.headers.first(name: origin) == "https://app.example")
      #expect(
        preflight.headers.first(name: "access-control-allow-methods")?.contains("PUT") == true)
      let stranger = try await server.send(.GET, "/v", nil, ["origin": "https://evil.example"])
      #expect(!stranger.headers.contains(name: origin))
      #expect(stranger.headers.first(name: "vary") == "origin")
    }
  }

  /// Compare-and-swap by 32 clients that all want the same number.
  @Test func noIncrementIsLost() async throws {
    try await withKeyValueServer { server, _ async throws in
      _ = try await server.send(.PUT, "/n", "0")
      let left = Observed(1000)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<32 {
          group.addTask {
            while left.update({ left in
              left -= 1
              return left >= 0
            }) {
              while true {
                let read = try await server.send(.GET, "/n")
                let tag = try #require(read.headers.first(name: "etag"))
                let number = try #require(Int(read.text))
                let status = try await server.send(
                  .PUT, "/n", "\(number + 1)", ["if-match": tag]
                ).status
                if status == 200 { break }
                #expect(status == 412)
                // All at once, they would mostly lose.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
              }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await server.send(.GET, "/n").text == "1000")
    }
  }
}
