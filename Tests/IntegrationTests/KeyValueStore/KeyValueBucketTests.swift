import AsyncHTTPClient
import JSON
import LocalServers
import NIOCore
import NIOHTTP1
import Testing

/// Values in a bucket of S3, with nothing but what the environment of a Pod would say.
@Suite struct KeyValueBucketTests {
  private func withBucket(
    _ body: (KeyValueServer, S3Server, _ bucket: String) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let s3 = try await processes.startS3Server()
      let bucket = try s3.newBucket()
      let server = try await processes.startKeyValueServer(
        store: "s3://\(bucket)",
        environment: [
          "S3_ENDPOINT_URL": s3.endpoint, "AWS_REGION": "us-east-1",
          "AWS_ACCESS_KEY_ID": S3Server.accessKeyID,
          "AWS_SECRET_ACCESS_KEY": S3Server.secretAccessKey,
        ])
      try await body(server, s3, bucket)
    }
  }

  @Test func valuesAreObjectsThatOthersReadAndWrite() async throws {
    try await withBucket { server, s3, bucket in
      let stored = try await server.send(.PUT, "/a%20b/+", "hello", ["content-type": "text/css"])
      #expect(stored.status == 200)
      let seen = try await s3.boto3(
        """
        object = s3.get_object(Bucket="\(bucket)", Key="a b/+")
        print(object["Body"].read().decode(), object["ContentType"])
        s3.put_object(Bucket="\(bucket)", Key="theirs", Body=b"from boto3")
        """)
      #expect(seen == ["hello text/css"])
      #expect(try await server.send(.GET, "/theirs").text == "from boto3")
      #expect(try await server.send(.GET, "/theirs", nil, ["range": "bytes=5-"]).text == "boto3")
      let page = try JSONValue(parsing: try await server.send(.GET, "/?prefix=").body)
      #expect(page["keys"]?.array?.compactMap { $0["key"]?.string } == ["a b/+", "theirs"])
      #expect(try await server.send(.DELETE, "/theirs").status == 200)
      #expect(try await server.send(.GET, "/theirs").status == 404)
    }
  }

  @Test func changesAreConditionalInABucketToo() async throws {
    try await withBucket { server, _, _ async throws in
      let first = try await server.send(.PUT, "/v", "1", ["if-none-match": "*"])
      #expect(first.status == 200)
      #expect(try await server.send(.PUT, "/v", "2", ["if-none-match": "*"]).status == 412)
      let tag = try #require(first.headers.first(name: "etag"))
      #expect(try await server.send(.PUT, "/v", "2", ["if-match": tag]).status == 200)
      #expect(try await server.send(.PUT, "/v", "3", ["if-match": tag]).status == 412)
      #expect(try await server.send(.PUT, "/none", "3", ["if-match": tag]).status == 412)
      #expect(try await server.send(.GET, "/v", nil, ["if-none-match": tag]).text == "2")
    }
  }

  /// In parts, since nobody knows its length.
  @Test func aLongBodyInChunksComesBack() async throws {
    try await withBucket { server, _, _ in
      var body = ByteBuffer()
      for number in 0..<20 { body.writeRepeatingByte(UInt8(number), count: 1 << 20) }
      var request = HTTPClientRequest(url: server.url + "/long")
      request.method = .PUT
      let (chunks, feed) = AsyncStream.makeStream(of: ByteBuffer.self)
      feed.yield(body)
      feed.finish()
      request.body = .stream(chunks, length: .unknown)
      #expect(try await HTTPClient.shared.send(request, timeout: .seconds(120)).status == 200)
      let response = try await HTTPClient.shared.execute(
        HTTPClientRequest(url: server.url + "/long"), deadline: .now() + .seconds(120))
      let read = try await response.body.collect(upTo: 32 << 20)
      #expect(read == body)
    }
  }

  @Test func aStoreThatRefusesIsNotTheClientsFault() async throws {
    try await withLocalProcesses { processes in
      let s3 = try await processes.startS3Server()
      let port = try FreePort.next()
      let process = try await processes.start(
        LocalProcess.Command(
          name: "http-kvs", executable: try KeyValueServer.executable,
          arguments: [
            "--address", "127.0.0.1:\(port)", "--monitor-address", "127.0.0.1:0",
            "--store", "s3://\(try s3.newBucket())",
          ],
          environment: [
            "S3_ENDPOINT_URL": s3.endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": S3Server.accessKeyID, "AWS_SECRET_ACCESS_KEY": "wrong",
          ]))
      try await withDeadline(.seconds(30), "http-kvs serves") {
        try await process.line(containing: "Serving")
      }
      let url = "http://127.0.0.1:\(port)"
      #expect(try await HTTPClient.shared.get(url + "/v").status == 502)
      #expect(try await HTTPClient.shared.get(url + "/readyz").status == 503)
      #expect(try await HTTPClient.shared.get(url + "/healthz").status == 200)
      #expect(!process.output.joined().contains("wrong"))
    }
  }
}
