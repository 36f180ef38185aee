/// Addresses as Chromium reads them (https://url.spec.whatwg.org/#concept-basic-url-parser): what
/// people would not recognise as `file:` may be one.
enum CommandURL {
  /// Pages of the web, and what they are made of.
  private static let allowed: Set<String> = [
    "http", "https", "ws", "wss", "data", "blob", "javascript",
  ]

  /// The scheme of an address that is not opened; nil: it may be.
  static func schemeThatIsRefused(of url: String) -> String? {
    // Spaces and controls around it do not count, nor do line breaks and tabs anywhere.
    let text = url.unicodeScalars.drop { $0.value <= 0x20 }
      .filter { $0 != "\t" && $0 != "\n" && $0 != "\r" }
    let start = text.prefix { $0 != ":" }
    // Relative to nothing: the browser refuses it.
    guard start.endIndex < text.endIndex else { return nil }
    let scheme = String(String.UnicodeScalarView(start)).lowercased()
    let rest = String(String.UnicodeScalarView(text[text.index(after: start.endIndex)...]))
    switch scheme {
    case "view-source": return schemeThatIsRefused(of: rest)
    // All others are pages of the browser itself, `chrome:` by another name.
    case "about":
      let page = rest.lowercased().prefix { $0 != "?" && $0 != "#" }
      return page == "blank" || page == "srcdoc" ? nil : scheme
    default: return allowed.contains(scheme) ? nil : scheme
    }
  }
}
