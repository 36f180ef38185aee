/// A text that must not be shown: it prints as `<secret>`, also inside other values.
package struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The text itself: for the peer that asks for it, never for logs, metrics or errors.
  package let reveal: String

  package init(_ text: String) { reveal = text }

  package var description: String { "<secret>" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
