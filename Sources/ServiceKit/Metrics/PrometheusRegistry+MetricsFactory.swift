package import CoreMetrics
import PrometheusText

extension PrometheusRegistry: MetricsFactory {
  package func makeCounter(
    label: String, dimensions: [(String, String)]
  ) -> any CounterHandler {
    instrument(label, suffix: "_total", dimensions, kind: .counter) { _ in CounterInstrument() }
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    instrument(label, suffix: "_total", dimensions, kind: .counter) { _ in NumberInstrument() }
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    instrument(label, dimensions, kind: .gauge) { _ in NumberInstrument() }
  }

  /// A gauge, or with `aggregate` a histogram.
  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if aggregate {
      return instrument(label, dimensions, kind: .histogram) { HistogramInstrument(bounds: $0) }
    }
    return instrument(label, dimensions, kind: .gauge) { _ in NumberInstrument() }
  }

  /// A histogram of seconds.
  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    instrument(label, suffix: "_seconds", dimensions, kind: .histogram) {
      HistogramInstrument(bounds: $0)
    }
  }

  package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
    forget(handler)
  }
  package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
  package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
  package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}
