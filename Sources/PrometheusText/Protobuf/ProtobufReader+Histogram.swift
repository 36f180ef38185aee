extension ProtobufReader {
  /// Reads a message `Histogram`; of a native one the count and the sum, the rest is checked only.
  static func histogram(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) throws(Fault) -> MetricPoint.Histogram {
    var reader = ProtobufReader(bytes, range)
    var histogram = MetricPoint.Histogram()
    var native = NativeHistogramCheck()
    while let (number, value) = try reader.next() {
      switch number {
      case 1:
        native.count = try value.unsigned()
        histogram.count = histogram.count ?? Double(native.count)
      case 2: histogram.sum = try value.double()
      case 3: histogram.buckets.append(try bucket(bytes, value.range()))
      case 4:
        native.floatCount = try value.double()
        histogram.count = native.floatCount
      case 5...14: try native.read(number, value, bytes)
      case 16: histogram.nativeExemplars.append(try exemplar(bytes, value.range()))
      case 15: histogram.created = try time(bytes, value.range())
      default: break
      }
    }
    native.sum = histogram.sum ?? 0
    try native.finish()
    return histogram
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
}
