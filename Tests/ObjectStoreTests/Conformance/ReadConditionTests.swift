import ObjectStore
import Testing

@Suite("Object stores: conditions of reads")
struct ReadConditionTests {
  /// RFC 9110, section 13.2.2.
  @Test("Conditions are weighed in their order", arguments: StoreKind.allCases)
  func conditions(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let info = try await store.putAndLook("key", "value")
      let same = ETagCondition.oneOf([info.etag])
      let other = ETagCondition.oneOf([try #require(ETag("other"))])
      let (before, at) = (info.modified - 1, info.modified)
      let cases: [(ReadConditions, ReadConditions.Verdict)] = [
        (ReadConditions(ifMatch: same), .holds),
        (ReadConditions(ifMatch: .any), .holds),
        (ReadConditions(ifMatch: other), .failed),
        (ReadConditions(ifMatch: .oneOf([])), .failed),
        (ReadConditions(ifNoneMatch: same), .notModified),
        (ReadConditions(ifNoneMatch: .any), .notModified),
        (ReadConditions(ifNoneMatch: other), .holds),
        (ReadConditions(ifModifiedSince: at), .notModified),
        (ReadConditions(ifModifiedSince: before), .holds),
        (ReadConditions(ifUnmodifiedSince: at), .holds),
        (ReadConditions(ifUnmodifiedSince: before), .failed),
        // A tag outweighs a date.
        (ReadConditions(ifMatch: same, ifUnmodifiedSince: before), .holds),
        (ReadConditions(ifNoneMatch: other, ifModifiedSince: at), .holds),
        (ReadConditions(ifNoneMatch: same, ifModifiedSince: before), .notModified),
        // What fails outweighs what is not modified.
        (ReadConditions(ifMatch: other, ifNoneMatch: same), .failed),
        (ReadConditions(ifMatch: same, ifNoneMatch: same), .notModified),
      ]
      for (conditions, verdict) in cases {
        let outcome = try await store.get("key", ReadRequest(conditions: conditions))
        let head = try await store.head(
          try ObjectKey("key"), ReadRequest(conditions: conditions))
        switch verdict {
        case .holds:
          #expect(outcome.value?.text == "value", "\(conditions)")
          #expect(head == .content(info, .whole), "\(conditions)")
        case .notModified:
          #expect(outcome == .notModified(info), "\(conditions)")
          #expect(head == .notModified(info), "\(conditions)")
        case .failed:
          #expect(outcome == .conditionFailed, "\(conditions)")
          #expect(head == .conditionFailed, "\(conditions)")
        }
      }
    }
  }

  @Test(
    "A range with a validator of another version means the whole", arguments: StoreKind.allCases)
  func rangeValidator(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let info = try await store.putAndLook("key", "0123456789")
      let cases: [(RangeValidator, isRange: Bool)] = [
        (.etag(info.etag), true), (.etag(try #require(ETag("other"))), false),
        (.modified(info.modified), true), (.modified(info.modified + 1), false),
        (.modified(info.modified - 1), false), (.never, false),
      ]
      for (validator, isRange) in cases {
        let request = ReadRequest(range: .closed(2...3), rangeValidator: validator)
        #expect(
          try await store.get("key", request).value?.text == (isRange ? "23" : "0123456789"),
          "\(validator)")
        let outside = ReadRequest(range: .from(10), rangeValidator: validator)
        let outcome = try await store.get("key", outside)
        if isRange {
          #expect(outcome == .unsatisfiable(info), "\(validator)")
        } else {
          #expect(outcome.value?.text == "0123456789", "\(validator)")
        }
      }
    }
  }

  @Test("A condition is weighed before a range", arguments: StoreKind.allCases)
  func conditionBeforeRange(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let info = try await store.put("key", "value")
      let request = ReadRequest(
        range: .from(100), conditions: ReadConditions(ifNoneMatch: .oneOf([info.etag])))
      #expect(try await store.get("key", request) == .notModified(info))
    }
  }
}
