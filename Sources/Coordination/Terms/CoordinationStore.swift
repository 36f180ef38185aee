/// What every store can be asked, whatever it keeps.
package protocol CoordinationStore: Sendable {
  /// Succeeds if the store could take a decision now.
  func check(deadline: Duration) async throws(StoreError)

  /// What the store's owner should know about its set-up, such as data that a restart would lose.
  /// Empty if all is well or nothing could be learnt.
  func findings(deadline: Duration) async -> [String]

  /// Owns the store's connections and background work; returns on cancellation or graceful
  /// shutdown.
  func run() async throws
}
