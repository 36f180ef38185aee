extension Exposition {
  /// The message of a record, read again.
  func point(_ record: SampleRecord) -> MetricPoint? {
    bytes.withUnsafeBufferPointer { buffer in
      var limits = ExpositionLimits()
      limits.labelsPerSample = .max
      return try? ProtobufReader.point(buffer, record.range, of: nil, limits: limits)
    }
  }

  /// The labels of a protobuf record.
  func labels(_ record: SampleRecord) -> [SeriesLabel] { point(record)?.labels ?? [] }
}
