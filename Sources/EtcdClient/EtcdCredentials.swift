/// What the client says to be let in. Secret: descriptions and mirrors never show it.
package struct EtcdCredentials: Sendable, Hashable {
  package let username: String
  package let password: String

  package init(username: String, password: String) {
    self.username = username
    self.password = password
  }
}

extension EtcdCredentials: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package var description: String { "(redacted)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
