import AdmissionReview
import JSON
import Testing

@Suite struct JSONPatchTests {
  /// Name, document, patch, result (nil: refused). After RFC 6902, appendix A.
  struct Case: Sendable, CustomStringConvertible {
    let description: String
    let document: String
    let patch: String
    let result: String?

    init(_ description: String, _ document: String, _ patch: String, _ result: String?) {
      self.description = description
      self.document = document
      self.patch = patch
      self.result = result
    }
  }

  static let cases = [
    Case(
      "adds a member", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#,
      #"{"baz":"qux","foo":"bar"}"#),
    Case(
      "inserts an element", #"{"foo":["bar","baz"]}"#,
      #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
    Case(
      "appends an element", #"{"foo":["bar"]}"#,
      #"[{"op":"add","path":"/foo/-","value":["abc"]}]"#, #"{"foo":["bar",["abc"]]}"#),
    Case(
      "removes a member", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#,
      #"{"foo":"bar"}"#),
    Case(
      "removes an element", #"{"foo":[1,2,3]}"#, #"[{"op":"remove","path":"/foo/1"}]"#,
      #"{"foo":[1,3]}"#),
    Case(
      "replaces a value", #"{"baz":"qux"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
      #"{"baz":"boo"}"#),
    Case("tests a value", #"{"a":1}"#, #"[{"op":"test","path":"/a","value":1}]"#, #"{"a":1}"#),
    Case("fails a test", #"{"a":1}"#, #"[{"op":"test","path":"/a","value":2}]"#, nil),
    Case(
      "needs the parent", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":1}]"#, nil),
    Case("needs what it removes", #"{}"#, #"[{"op":"remove","path":"/a"}]"#, nil),
    Case("needs what it replaces", #"{}"#, #"[{"op":"replace","path":"/a","value":1}]"#, nil),
    Case(
      "refuses an index that is too large", #"{"a":[]}"#,
      #"[{"op":"add","path":"/a/1","value":1}]"#, nil),
    Case(
      "refuses a leading zero", #"{"a":[1,2]}"#, #"[{"op":"remove","path":"/a/01"}]"#, nil),
    Case(
      "unescapes in the right order", #"{"/":9,"~1":10}"#,
      #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
    Case("replaces the whole", #"{"a":1}"#, #"[{"op":"add","path":"","value":[]}]"#, "[]"),
  ]

  @Test(arguments: cases)
  func applies(_ example: Case) throws {
    let document = try JSONValue(parsing: example.document)
    let patch = try JSONValue(parsing: example.patch)
    if let result = example.result {
      #expect(try JSONPatch.apply(patch, to: document) == JSONValue(parsing: result))
    } else {
      #expect(throws: JSONPatchError.self) { try JSONPatch.apply(patch, to: document) }
    }
  }

  @Test func whatIsBuiltCanBeApplied() throws {
    var patch = JSONPatch()
    #expect(patch.isEmpty)
    patch.add(JSONPointer("metadata", "annotations", "example.com/a~b")) { $0.string("x\"y") }
    patch.replace(JSONPointer("spec")) { $0.object { $0.field("n", 1) } }
    patch.remove(JSONPointer("gone"))
    #expect(!patch.isEmpty)
    let document = try JSONValue(
      parsing: #"{"metadata":{"annotations":{}},"spec":0,"gone":true}"#)
    let result = try JSONPatch.apply(JSONValue(parsing: patch.bytes), to: document)
    let wanted = try JSONValue(
      parsing: #"{"metadata":{"annotations":{"example.com/a~b":"x\"y"}},"spec":{"n":1}}"#)
    #expect(result == wanted)
  }

  @Test(arguments: ["a", "/~", "/~2", "a/b"])
  func refusesBadPointers(text: String) { #expect(JSONPointer(parsing: text) == nil) }
}
