import NIOHTTP1
import ObjectStore
import Testing

@testable import KeyValueHTTP

@Suite struct RequestFieldsTests {
  private func fields(_ headers: HTTPHeaders) throws -> RequestFields { try RequestFields(headers) }

  @Test func fieldsAreFoundWhateverTheirCase() throws {
    let fields = try fields([
      "host": "x", "IF-NONE-MATCH": "*", "Content-Type": "text/css", "X-KVS-TTL": "5",
      "x-kvs-ttm": "7",
    ])
    #expect(fields.ifNoneMatch == "*")
    #expect(fields.contentType == "text/css")
    #expect(fields.timeToLive == "5")
  }

  @Test func listsInSeveralFieldsAreOne() throws {
    let fields = try fields(HTTPHeaders([("if-match", #""a""#), ("If-Match", #""b""#)]))
    #expect(fields.ifMatch == #""a", "b""#)
  }

  @Test func whatCanOnlyBeOnceIsRefusedTwice() {
    for name in ["content-type", "authorization", "x-kvs-ttl", "if-range"] {
      #expect(throws: Refusal.self) { try fields(HTTPHeaders([(name, "a"), (name, "b")])) }
    }
  }

  @Test func timesToLiveAreBounded() throws {
    #expect(try fields([:]).expires(now: 100) == nil)
    #expect(try fields(["x-kvs-ttl": "1"]).expires(now: 100) == 101)
    #expect(try fields(["x-kvs-ttl": "315360000"]).expires(now: 100) == 315_360_100)
    for text in ["0", "-1", "+1", "1.5", "", "a", "315360001", "99999999999999999999", "1s"] {
      #expect(throws: Refusal.self, "\(text)") {
        try fields(["x-kvs-ttl": text]).expires(now: 100)
      }
    }
  }

  @Test(arguments: [
    nil, "application/x-www-form-urlencoded", "Application/Octet-Stream",
    "application/x-www-form-urlencoded; charset=utf-8", "",
  ])
  func typesThatNobodyChoseAreNotKept(_ type: String?) throws {
    #expect(try fields(type.map { ["content-type": $0] } ?? [:]).chosenContentType() == nil)
  }

  @Test func chosenTypesAreKeptAsTheyAre() throws {
    for type in ["text/plain", "Text/HTML; Charset=UTF-8", "application/vnd.api+json"] {
      #expect(try fields(["content-type": type]).chosenContentType() == type)
    }
    for type in ["text", "text/", "/plain", "text plain/x", "a/b/c", "text/\u{e9}"] {
      #expect(throws: Refusal.self, "\(type)") {
        try fields(["content-type": type]).chosenContentType()
      }
    }
  }

  @Test func changesHaveOneConditionThatStoresCanCheck() throws {
    let tag = try #require(ETag("a"))
    #expect(try fields([:]).writeCondition() == .none)
    #expect(try fields(["if-none-match": "*"]).writeCondition() == .isMissing)
    #expect(try fields(["if-match": "*"]).writeCondition() == .matches(.any))
    #expect(try fields(["if-match": #""a""#]).writeCondition() == .matches(.oneOf([tag])))
    #expect(try fields(["if-match": #"W/"a""#]).writeCondition() == .matches(.oneOf([])))
    let refused: [HTTPHeaders] = [
      ["if-none-match": #""a""#], ["if-match": "a"], ["if-match": "*", "if-none-match": "*"],
      ["if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"],
    ]
    for headers in refused {
      #expect(throws: Refusal.self, "\(headers)") { try fields(headers).writeCondition() }
    }
  }

  @Test func readsAreConditionalAsHTTPSays() throws {
    let request = try fields([
      "if-none-match": #"W/"a""#, "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT",
      "if-unmodified-since": "whenever", "range": "bytes=1-",
    ]).readRequest(hasRange: true, now: 0)
    #expect(request.conditions.ifNoneMatch == .oneOf([try #require(ETag("a"))]))
    #expect(request.conditions.ifModifiedSince == 784_111_777)
    #expect(request.conditions.ifUnmodifiedSince == nil)
    #expect(request.range == .from(1))
    let head = try fields(["range": "bytes=1-"]).readRequest(hasRange: false, now: 0)
    #expect(head == ReadRequest())
    #expect(throws: Refusal.self) {
      try fields(["if-match": "a"]).readRequest(hasRange: true, now: 0)
    }
  }

  @Test func errorsAreJSONForWhoAsksForIt() throws {
    for accept in ["application/json", "text/html, application/json;q=0.9", "Application/JSON"] {
      #expect(try fields(["accept": accept]).wantsJSON, "\(accept)")
    }
    for accept in ["*/*", "text/plain", "application/*", "application/jsonp"] {
      #expect(try !fields(["accept": accept]).wantsJSON, "\(accept)")
    }
  }

  @Test func onlyWholeValuesReplaceValues() throws {
    try fields(["content-encoding": "Identity"]).checkContent()
    let refusals: [(HTTPHeaders, HTTPResponseStatus)] = [
      (["content-range": "bytes 5-9/10"], .badRequest),
      (["content-encoding": "gzip"], .unsupportedMediaType),
      (["content-encoding": "identity, gzip"], .unsupportedMediaType),
    ]
    for (headers, status) in refusals {
      #expect { try fields(headers).checkContent() } throws: { ($0 as? Refusal)?.status == status }
    }
  }
}
