/// https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
extension ProtobufReader {
  /// Reads a message `Metric`, checking all of it.
  static func point(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, limits: ExpositionLimits
  ) throws(Fault) -> MetricPoint {
    var reader = ProtobufReader(bytes, range)
    var point = MetricPoint(content: .value(0, exemplar: nil, created: nil))
    var hasContent = false
    while let (number, value) = try reader.next() {
      switch number {
      case 1:
        guard point.labels.count < limits.labelsPerSample else {
          throw Fault(reason: "more than \(limits.labelsPerSample) labels")
        }
        point.labels.append(try label(bytes, value.range()))
      case 2, 3, 5:
        point.content = try simple(bytes, value.range())
        hasContent = true
      case 4:
        point.content = .summary(try summary(bytes, value.range()))
        hasContent = true
      case 6: point.timestamp = try value.signed()
      case 7:
        point.content = .histogram(try histogram(bytes, value.range()))
        hasContent = true
      default: break
      }
    }
    guard hasContent else { throw Fault(reason: "a metric has no value") }
    return point
  }

  static func label(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> SeriesLabel {
    var reader = ProtobufReader(bytes, range)
    var label = SeriesLabel("", "")
    while let (number, value) = try reader.next() {
      switch number {
      case 1: label.name = try reader.text(value.range())
      case 2: label.value = try reader.text(value.range())
      default: break
      }
    }
    return label
  }

  /// Reads `Gauge`, `Counter` or `Untyped`.
  private static func simple(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Content {
    var reader = ProtobufReader(bytes, range)
    var result = 0.0
    var found: MetricPoint.Exemplar?
    var created: UnixTime?
    while let (number, value) = try reader.next() {
      switch number {
      case 1: result = try value.double()
      case 2: found = try exemplar(bytes, value.range())
      case 3: created = try time(bytes, value.range())
      default: break
      }
    }
    return .value(result, exemplar: found, created: created)
  }

  private static func summary(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Summary {
    var reader = ProtobufReader(bytes, range)
    var summary = MetricPoint.Summary()
    while let (number, value) = try reader.next() {
      switch number {
      case 1: summary.count = try value.unsigned()
      case 2: summary.sum = try value.double()
      case 3:
        var fields = ProtobufReader(bytes, try value.range())
        var quantile = MetricPoint.Quantile()
        while let (number, value) = try fields.next() {
          if number == 1 { quantile.quantile = try value.double() }
          if number == 2 { quantile.value = try value.double() }
        }
        summary.quantiles.append(quantile)
      case 4: summary.created = try time(bytes, value.range())
      default: break
      }
    }
    return summary
  }

  private static func histogram(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Histogram {
    var reader = ProtobufReader(bytes, range)
    var histogram = MetricPoint.Histogram()
    var start = reader.position
    while let (number, value) = try reader.next() {
      switch number {
      case 1:
        let count = Double(try value.unsigned())
        histogram.count = histogram.count ?? count
      case 2: histogram.sum = try value.double()
      case 3: histogram.buckets.append(try bucket(bytes, value.range()))
      case 4:
        histogram.count = try value.double()
        histogram.native += bytes[start..<reader.position]
      case 5...14, 16:
        try checkNative(number, value, bytes)
        histogram.native += bytes[start..<reader.position]
      case 15: histogram.created = try time(bytes, value.range())
      default: break
      }
      start = reader.position
    }
    return histogram
  }

  /// Checks a field that is passed on as it is: what a scraper cannot read would cost it the answer.
  private static func checkNative(
    _ number: UInt64, _ value: Value, _ bytes: UnsafeBufferPointer<UInt8>
  ) throws(Fault) {
    switch (number, value) {
    case (5, .varint), (7, .varint), (6, .fixed64), (8, .fixed64), (10, .varint), (13, .varint),
      (11, .fixed64), (14, .fixed64):
      break
    case (9, .bytes(let range)), (12, .bytes(let range)):
      var span = ProtobufReader(bytes, range)
      while let (number, value) = try span.next() {
        if number <= 2 { _ = try value.unsigned() }
      }
    case (10, .bytes(let range)), (13, .bytes(let range)):
      var deltas = ProtobufReader(bytes, range)
      while !deltas.isAtEnd { _ = try deltas.varint() }
    case (11, .bytes(let range)), (14, .bytes(let range)):
      guard range.count.isMultiple(of: 8) else { throw Fault(reason: "a list is cut off") }
    case (16, .bytes(let range)): _ = try exemplar(bytes, range)
    default: throw Fault(reason: "a field of a histogram has another type than in the schema")
    }
  }

  private static func bucket(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Bucket {
    var reader = ProtobufReader(bytes, range)
    var bucket = MetricPoint.Bucket()
    while let (number, value) = try reader.next() {
      switch number {
      case 1: bucket.count = Double(try value.unsigned())
      case 2: bucket.upperBound = try value.double()
      case 3: bucket.exemplar = try exemplar(bytes, value.range())
      case 4: bucket.count = try value.double()
      default: break
      }
    }
    return bucket
  }

  private static func exemplar(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Exemplar {
    var reader = ProtobufReader(bytes, range)
    var exemplar = MetricPoint.Exemplar()
    while let (number, value) = try reader.next() {
      switch number {
      case 1: exemplar.labels.append(try label(bytes, value.range()))
      case 2: exemplar.value = try value.double()
      case 3: exemplar.timestamp = try time(bytes, value.range())
      default: break
      }
    }
    return exemplar
  }

  /// Reads a `google.protobuf.Timestamp`.
  private static func time(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> UnixTime {
    var reader = ProtobufReader(bytes, range)
    var time = UnixTime()
    while let (number, value) = try reader.next() {
      switch number {
      case 1: time.seconds = try value.signed()
      case 2: time.nanoseconds = Int32(truncatingIfNeeded: try value.signed())
      default: break
      }
    }
    guard (0..<1_000_000_000).contains(time.nanoseconds), abs(time.seconds) < 1 << 52 else {
      throw Fault(reason: "a time is out of range")
    }
    return time
  }
}

extension Exposition {
  /// The message of a record, read again.
  func point(_ record: SampleRecord) -> MetricPoint? {
    bytes.withUnsafeBufferPointer { buffer in
      var limits = ExpositionLimits()
      limits.labelsPerSample = .max
      return try? ProtobufReader.point(buffer, record.range, limits: limits)
    }
  }

  /// The labels of a protobuf record.
  func labels(_ record: SampleRecord) -> [SeriesLabel] { point(record)?.labels ?? [] }
}
