import Glibc

/// What time it is: what expiry and `modified` are counted in. Tests decide it themselves.
package struct WallClock: Sendable {
  private let read: @Sendable () -> Int64

  /// - Parameter read: returns seconds since 1970.
  package init(_ read: @escaping @Sendable () -> Int64) { self.read = read }

  /// The machine's.
  package static let system = WallClock { Int64(time(nil)) }

  /// In seconds since 1970.
  package var now: Int64 { read() }
}
