/// https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
extension ProtobufReader {
  /// Reads a message `Metric`, checking all of it.
  ///
  /// - Parameter kind: of its family; nil if that has been checked.
  static func point(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, of kind: FamilyKind?,
    limits: ExpositionLimits
  ) throws(Fault) -> MetricPoint {
    var reader = ProtobufReader(bytes, range)
    var point = MetricPoint(content: .value(0, exemplar: nil, created: nil))
    var hasContent = false
    while let (number, value) = try reader.next() {
      if let kind, (2...5).contains(number) || number == 7, number != kind.protobufField {
        throw Fault(reason: "the value of a metric is not of the family's type")
      }
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

  static func exemplar(
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
  static func time(
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
    guard (0..<1_000_000_000).contains(time.nanoseconds),
      time.seconds.magnitude < UnixTime.endOfSeconds.magnitude
    else {
      throw Fault(reason: "a time is out of range")
    }
    return time
  }
}
