import Testing

@testable import ObjectStore
import URIEncoding

/// Requests with the signatures that AWS publishes for them.
@Suite("S3: published signatures")
struct SignatureVectorTests {
  @Test("The classic suite", arguments: SignatureVector.classic)
  func classic(_ vector: SignatureVector) throws {
    let time = try #require(UTCTime(rfc3339: "2015-08-30T12:36:00Z"))
    #expect(time.basic == "20150830T123600Z")
    let key = SigningKey(
      secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", date: time.basicDate,
      region: "us-east-1", service: "service")
    let signature = SignatureV4(accessKeyID: "AKIDEXAMPLE", key: key, time: time)
    let authorization = signature.authorization(
      for: request(
        vector, [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")]))
    #expect(
      authorization.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "))
    #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
  }

  @Test("The examples of the documentation of S3", arguments: SignatureVector.examples)
  func example(_ vector: SignatureVector) throws {
    let time = try #require(UTCTime(httpDate: "Fri, 24 May 2013 00:00:00 GMT"))
    let key = SigningKeyCache(region: "us-east-1", service: "s3").key(
      secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", time: time)
    let signature = SignatureV4(accessKeyID: "AKIAIOSFODNN7EXAMPLE", key: key, time: time)
    let authorization = signature.authorization(
      for: request(
        vector,
        [
          ("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", vector.payload),
          ("x-amz-date", signature.time),
        ]))
    #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
  }

  private func request(
    _ vector: SignatureVector, _ headers: [(name: String, value: String)]
  ) -> SignatureV4.Request {
    SignatureV4.Request(
      method: vector.method, path: PercentEncoding.encode(vector.path, keepsSlash: true),
      query: SignatureV4.canonicalQuery(vector.query), headers: vector.headers + headers,
      payload: vector.payload)
  }
}
