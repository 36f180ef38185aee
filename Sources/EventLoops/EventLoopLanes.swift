package import NIOCore
import NIOPosix

/// The same connections once for each event loop: what runs on one uses its own, without a change
/// of thread.
package struct EventLoopLanes<Lane: Sendable>: Sendable {
  package let all: [Lane]
  private let byEventLoop: [ObjectIdentifier: Int]

  /// - Parameter lanes: at least one.
  package init(_ lanes: [(eventLoop: any EventLoop, lane: Lane)]) {
    all = lanes.map(\.lane)
    byEventLoop = Dictionary(
      uniqueKeysWithValues: lanes.enumerated().map { (ObjectIdentifier($1.eventLoop), $0) })
  }

  /// The number of the lane of the event loop that this runs on, or of the first.
  package var current: Int {
    MultiThreadedEventLoopGroup.currentEventLoop.flatMap { byEventLoop[ObjectIdentifier($0)] } ?? 0
  }

  package subscript(number: Int) -> Lane { all[number] }
}
