/// Writes messages of protobuf.
extension ByteSink {
  func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  private func key(_ number: UInt64, _ type: UInt64) { varint(number << 3 | type) }

  func field(_ number: UInt64, _ value: UInt64) {
    key(number, 0)
    varint(value)
  }

  func field(_ number: UInt64, _ value: Double) {
    key(number, 1)
    for shift in 0..<8 { append(UInt8(truncatingIfNeeded: value.bitPattern >> (shift * 8))) }
  }

  func field(_ number: UInt64, _ text: String) {
    key(number, 2)
    varint(UInt64(text.utf8.count))
    append(text)
  }

  func field(_ number: UInt64, _ message: ByteSink) {
    key(number, 2)
    varint(UInt64(message.count))
    append(message)
  }

  /// Writes the start of a message field, whose bytes follow.
  func message(_ number: UInt64, count: Int) {
    key(number, 2)
    varint(UInt64(count))
  }
}

extension ByteSink {
  private static func message(_ body: (ByteSink) -> Void) -> ByteSink {
    let sink = ByteSink(capacity: 256)
    body(sink)
    return sink
  }

  func label(_ number: UInt64, _ label: SeriesLabel) {
    let name = label.name.utf8.count
    let value = label.value.utf8.count
    message(
      number,
      count: 2 + Self.varintLength(name) + name + Self.varintLength(value) + value)
    field(1, label.name)
    field(2, label.value)
  }

  private static func varintLength(_ value: Int) -> Int {
    max(1, (64 - UInt64(value).leadingZeroBitCount + 6) / 7)
  }

  /// Writes a message `Metric`.
  func metric(_ point: MetricPoint, _ kind: FamilyKind) {
    for label in point.labels { self.label(1, label) }
    switch point.content {
    case .value(let value, let exemplar, let created):
      let message = Self.message { message in
        message.field(1, value)
        guard kind == .counter else { return }
        if let exemplar { message.field(2, Self.exemplar(exemplar)) }
        if let created { message.field(3, Self.time(created)) }
      }
      field(kind == .counter ? 3 : kind.protobufType == 1 ? 2 : 5, message)
    case .summary(let summary): field(4, Self.summary(summary))
    case .histogram(let histogram): field(7, Self.histogram(histogram))
    }
    if let timestamp = point.timestamp { field(6, UInt64(bitPattern: timestamp)) }
  }

  private static func summary(_ summary: MetricPoint.Summary) -> ByteSink {
    message { message in
      if let count = summary.count { message.field(1, count) }
      if let sum = summary.sum { message.field(2, sum) }
      for quantile in summary.quantiles {
        message.field(
          3,
          Self.message {
            $0.field(1, quantile.quantile)
            $0.field(2, quantile.value)
          })
      }
      if let created = summary.created { message.field(4, time(created)) }
    }
  }

  private static func histogram(_ histogram: MetricPoint.Histogram) -> ByteSink {
    message { message in
      if let count = histogram.count.flatMap({ UInt64(exactly: $0) }) { message.field(1, count) }
      if let sum = histogram.sum { message.field(2, sum) }
      // If the last had another bound than +Inf, readers would add one.
      for bucket in histogram.buckets.sorted(by: { $0.upperBound < $1.upperBound }) {
        message.field(3, self.bucket(bucket))
      }
      if let created = histogram.created { message.field(15, time(created)) }
    }
  }

  private static func bucket(_ bucket: MetricPoint.Bucket) -> ByteSink {
    message { message in
      if let count = UInt64(exactly: bucket.count) { message.field(1, count) }
      message.field(2, bucket.upperBound)
      if let exemplar = bucket.exemplar { message.field(3, self.exemplar(exemplar)) }
    }
  }

  private static func exemplar(_ exemplar: MetricPoint.Exemplar) -> ByteSink {
    message { message in
      for label in exemplar.labels { message.label(1, label) }
      message.field(2, exemplar.value)
      if let timestamp = exemplar.timestamp { message.field(3, time(timestamp)) }
    }
  }

  private static func time(_ time: UnixTime) -> ByteSink {
    message { message in
      message.field(1, UInt64(bitPattern: time.seconds))
      message.field(2, UInt64(UInt32(bitPattern: time.nanoseconds)))
    }
  }
}
