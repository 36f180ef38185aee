/// What a store keeps for a lock: the token, the Pod that it is bound to, and who that is.
///
/// The text form is `<token> <pod uid or -> <JSON>`. A value without the other parts is a bare
/// token, as other implementations of the same layout write it.
package struct LockRecord: Sendable, Hashable {
  package let token: Token
  /// Nil if another implementation took the lock and left no name.
  package let holder: Holder?

  package init(token: Token, holder: Holder?) {
    self.token = token
    self.holder = holder
  }

  package init(parsing text: String) {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    token = Token(String(parts.first ?? ""))
    holder = parts.count == 2 ? Holder(parsing: String(parts[1])) : nil
  }

  package var text: String { holder.map { "\(token.text) \($0.text)" } ?? token.text }
}
