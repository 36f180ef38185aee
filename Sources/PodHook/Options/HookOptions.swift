package import ArgumentParser
package import ServiceKit

/// The variant of a hook: the environment variable `VARIANT`, or what the webhook passes on.
package struct HookOptions: ParsableArguments {
  @Option(help: "Tells several installations of the hook in one cluster apart (default: none).")
  package var variant: String?

  package init() {}

  package func resolve(_ reader: inout OptionReader) -> String? {
    reader.value("variant", flag: variant, allowed: "a DNS label of at most 20 characters") {
      // Container and label names are built from it.
      $0.utf8.count <= 20 && $0.wholeMatch(of: #/[a-z0-9]([-a-z0-9]*[a-z0-9])?/#) != nil ? $0 : nil
    }
  }
}
