/// What S3 says about a request that it did not carry out.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
struct S3ErrorDocument: Sendable, Hashable {
  /// Such as `NoSuchKey`; empty if unknown.
  var code = ""
  var message = ""

  /// Says nothing if it is no such document: some servers and all balancers answer otherwise.
  init(_ bytes: some Sequence<UInt8>) {
    guard let fields = try? XMLFields(bytes), fields.root == "Error" else { return }
    code = String((fields["Code"] ?? "").prefix(64).filter { $0.isASCII && $0.isLetter })
    // One line, and not so long: it goes into logs and answers.
    message = String((fields["Message"] ?? "").prefix(200).map { $0.isNewline ? " " : $0 })
  }

  init() {}
}
