import Glibc
import LocalServers
import Testing

@testable import ObjectStore
import URIEncoding

@Suite("S3: signatures, beside botocore's")
struct IndependentSignatureTests {
  /// Signs each line (`METHOD`, target, `name=value` of headers, apart by tabs) as S3's SDK does.
  private static let script = """
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    signer = S3SigV4Auth(Credentials("AKID", "se/cr+et"), "s3", "eu-west-1")
    for line in open(sys.argv[1]):
      method, target, *headers = line.rstrip("\\n").split("\\t")
      headers = dict(header.split("=", 1) for header in headers)
      request = AWSRequest(method=method, url="http://localhost:9000" + target, headers=headers)
      request.context["timestamp"] = headers["x-amz-date"]
      canonical = signer.canonical_request(request)
      print(signer.signature(signer.string_to_sign(request, canonical), request))
    """

  @Test("Random requests have the same signatures")
  func random() async throws {
    var random = SplitMix(seed: 11)
    var lines: [String] = []
    var signatures: [String] = []
    for _ in 0..<300 {
      let time = UTCTime(secondsSince1970: .random(in: 0...4_000_000_000, using: &random))
      var headers = [
        (name: "host", value: "localhost:9000"), (name: "x-amz-date", value: time.basic),
        (name: "x-amz-content-sha256", value: SignatureV4.unsignedPayload),
      ]
      if Bool.random(using: &random) {
        headers.append(("content-type", "text/plain; charset=utf-8"))
      }
      if Bool.random(using: &random) { headers.append(("x-amz-meta-kvs-write-id", "a  b c")) }
      if Bool.random(using: &random) { headers.append(("range", "bytes=0-9")) }
      if Bool.random(using: &random) { headers.append(("if-match", "\"abc\"")) }
      var query: [(name: String, value: String)] = []
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        query.append((SampleKeys.random(using: &random), SampleKeys.random(using: &random)))
      }
      let path =
        "/bucket/"
        + PercentEncoding.encode(SampleKeys.random(using: &random), keepsSlash: true)
      let text = SignatureV4.canonicalQuery(query)
      let method = ["GET", "PUT", "DELETE", "POST"].randomElement(using: &random) ?? "GET"
      let key = SigningKey(
        secret: "se/cr+et", date: time.basicDate, region: "eu-west-1", service: "s3")
      let authorization = SignatureV4(accessKeyID: "AKID", key: key, time: time).authorization(
        for: SignatureV4.Request(
          method: method, path: path, query: text, headers: headers,
          payload: SignatureV4.unsignedPayload))
      signatures.append(String(authorization.suffix(64)))
      lines.append(
        ([method, text.isEmpty ? path : "\(path)?\(text)"]
          + headers.map { "\($0.name)=\($0.value)" }).joined(separator: "\t"))
    }
    let server = try await SharedS3Server.server()
    let expected = try await withTemporaryDirectory { directory in
      let file = try #require(fopen("\(directory)/requests", "w"))
      for line in lines { fputs(line + "\n", file) }
      fclose(file)
      return try await server.boto3(Self.script, "\(directory)/requests")
    }
    // A process keeps its last lines only.
    #expect(Array(signatures.suffix(expected.count)) == expected)
    #expect(expected.count >= 100)
  }

  @Test("Keys of every kind go through a server that verifies, and boto3 reads and writes the same")
  func keys() async throws {
    let server = try await SharedS3Server.server()
    let bucket = try server.newBucket()
    let store = try s3Store(server.endpoint, bucket: bucket)
    for key in SampleKeys.all { try await store.put(key, "of \(key)", type: "text/x-test") }
    try await server.boto3(
      """
      for key in json.loads(sys.argv[2]):
        answer = s3.get_object(Bucket=sys.argv[1], Key=key)
        assert answer["Body"].read() == ("of " + key).encode(), key
        assert answer["ContentType"] == "text/x-test"
        s3.put_object(Bucket=sys.argv[1], Key=key, Body=("boto3 " + key).encode())
      """, bucket, "[\(SampleKeys.all.map(Self.quoted).joined(separator: ","))]")
    for key in SampleKeys.all {
      #expect(try await store.text(key).map(Bytes.init) == Bytes("boto3 \(key)"))
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
        ? "\\u" + String(String(scalar.value + 0x10000, radix: 16).suffix(4)) : String(scalar)
    }
    return "\"\(escaped.joined())\""
  }

  @Test("Session tokens are sent and signed, and wrong secrets refused")
  func session() async throws {
    try await withS3Server(sessionToken: "to/ken+=") { server in
      let bucket = try server.newBucket()
      for (secret, token, kind) in [
        (S3Server.secretAccessKey, "to/ken+=", nil), (S3Server.secretAccessKey, nil, .denied),
        (S3Server.secretAccessKey, "other", .denied), ("wrong", "to/ken+=", .denied),
      ] as [(String, String?, ObjectStoreError.Kind?)] {
        let store = try s3Store(server.endpoint, bucket: bucket) {
          $0.credentials = StaticCredentials(
            AWSCredentials(
              accessKeyID: S3Server.accessKeyID, secretAccessKey: secret, sessionToken: token))
        }
        #expect(try await failure { try await store.put("key", "value") } == kind)
        #expect(try await failure { try await store.check() } == kind)
        #expect(try await failure { _ = try await store.text("key") } == kind)
      }
    }
  }
}
