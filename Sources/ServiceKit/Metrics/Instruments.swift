import CoreMetrics
import Synchronization

/// What a series of any kind can do for the registry.
protocol MetricInstrument: AnyObject, Sendable {
  /// The value now, for counters and gauges.
  var value: Double { get }
}

/// A whole number that only grows.
final class CounterInstrument: CounterHandler, MetricInstrument {
  private let total = Atomic<Int64>(0)

  var value: Double { Double(total.load(ordering: .relaxed)) }

  func increment(by amount: Int64) {
    if amount > 0 { total.wrappingAdd(amount, ordering: .relaxed) }
  }

  func reset() { total.store(0, ordering: .relaxed) }
}

/// A number that is set, or added to: gauges, meters and counters of fractions.
final class NumberInstrument: MetricInstrument {
  private let bits = Atomic<UInt64>(0)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var current = bits.load(ordering: .relaxed)
    while true {
      let sum = Double(bitPattern: current) + amount
      let (exchanged, original) = bits.weakCompareExchange(
        expected: current, desired: sum.bitPattern, ordering: .relaxed)
      if exchanged { return }
      current = original
    }
  }
}

extension NumberInstrument: FloatingPointCounterHandler {
  func increment(by amount: Double) { if amount.isFinite { add(amount) } }
  func reset() { store(0) }
}

extension NumberInstrument: RecorderHandler {
  func record(_ value: Int64) { store(Double(value)) }
  func record(_ value: Double) { store(value) }
}

extension NumberInstrument: MeterHandler {
  func set(_ value: Int64) { store(Double(value)) }
  func set(_ value: Double) { store(value) }
  func decrement(by amount: Double) { if amount.isFinite { add(-amount) } }
}

/// Observations counted in buckets.
final class HistogramInstrument: MetricInstrument {
  struct State {
    /// One for each bound, and one for what is above them all.
    var counts: [UInt64]
    var sum: Double = 0
  }

  let bounds: [Double]
  private let state: Mutex<State>

  /// - Parameter bounds: finite and ascending.
  init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  var snapshot: State { state.withLock { $0 } }
  var value: Double { snapshot.sum }

  func observe(_ value: Double) {
    guard !value.isNaN else { return }
    let index = bucket(of: value)
    state.withLock { state in
      state.counts[index] += 1
      state.sum += value
    }
  }

  /// The first bucket whose bound is not below the value.
  private func bucket(of value: Double) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension HistogramInstrument: RecorderHandler {
  func record(_ value: Int64) { observe(Double(value)) }
  func record(_ value: Double) { observe(value) }
}

extension HistogramInstrument: TimerHandler {
  func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}
