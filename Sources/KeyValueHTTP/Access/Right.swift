import NIOHTTP1

/// What a token may allow.
enum Right: String, CaseIterable, Sendable, Hashable {
  /// GET and HEAD of values.
  case read
  /// POST, PUT and DELETE.
  case write
  /// Listings of keys.
  case list
}
