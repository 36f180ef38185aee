import ServiceKit
import Testing

/// A value that an option does not take, and a part of what is said about it.
struct Wrong: Sendable, CustomStringConvertible {
  let option: String
  let value: String
  let allowed: String

  init(_ option: String, _ value: String, _ allowed: String) {
    (self.option, self.value, self.allowed) = (option, value, allowed)
  }

  /// As a flag.
  var description: String { "--\(option)=\(value)" }

  /// The environment variable of the same option.
  var variable: String { String(option.uppercased().map { $0 == "-" ? "_" : $0 }) }

  /// Such as can be given at once, each option one time: reading a command line takes a while in
  /// debug builds, where the parser checks its own set-up every time.
  static func batches(_ all: [Wrong]) -> [[Wrong]] {
    var batches: [[Wrong]] = []
    for wrong in all {
      let place = batches.firstIndex { !$0.contains { $0.option == wrong.option } }
      if let place { batches[place].append(wrong) } else { batches.append([wrong]) }
    }
    return batches
  }

  static func variables(_ batch: [Wrong]) -> [String: String] {
    Dictionary(batch.map { ($0.variable, $0.value) }) { $1 }
  }

  /// There is one fault for each wrong value, and it says what is wrong and what would be right.
  static func expect(
    _ faults: [OptionFault], _ batch: [Wrong], areVariables: Bool = false,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(faults.count == batch.count, "\(faults)", sourceLocation: location)
    for wrong in batch {
      let fault = faults.first { $0.option == "--" + wrong.option }
      #expect(fault?.value == wrong.value, "\(wrong)", sourceLocation: location)
      #expect(
        fault?.allowed.contains(wrong.allowed) == true, "\(wrong): \(fault?.allowed ?? "")",
        sourceLocation: location)
      #expect(fault?.description.contains("\n") == false, sourceLocation: location)
      // Faults that are found after reading, such as those of addresses, name the option only.
      if let variable = fault?.variable {
        #expect(areVariables && variable == wrong.variable, sourceLocation: location)
      }
    }
  }
}
