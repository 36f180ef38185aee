/// Where one sample is: a line of text without its newline, or a protobuf message `Metric`.
struct SampleRecord: Sendable {
  struct Traits: OptionSet, Sendable {
    let rawValue: UInt8

    /// Not as an encoder would write it: blanks, a comma too many, escapes that are none.
    static let irregular = Traits(rawValue: 1)
    /// Has the label that will be added.
    static let reservedLabel = Traits(rawValue: 2)
    /// Has names in quotes, or such as a text format must put into quotes.
    static let quotedNames = Traits(rawValue: 4)
    /// Has no braces.
    static let bare = Traits(rawValue: 8)
    static let timestamp = Traits(rawValue: 16)
    static let exemplar = Traits(rawValue: 32)
    static let duplicate = Traits(rawValue: 64)
  }

  let start: UInt32
  let end: UInt32
  /// From the start to where labels begin: behind the brace, or the name if there is none.
  let labels: UInt16
  let suffix: SampleSuffix
  var traits: Traits
  /// Of name and labels; equal series have equal ones, whatever order their labels have.
  var hash: UInt32

  var range: Range<Int> { Int(start)..<Int(end) }
}
