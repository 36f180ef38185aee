extension FamilyKind {
  /// `MetricType` of the schema.
  init?(protobuf type: UInt64) {
    switch type {
    case 0: self = .counter
    case 1: self = .gauge
    case 2: self = .summary
    case 3: self = .unknown
    case 4: self = .histogram
    case 5: self = .gaugeHistogram
    default: return nil
    }
  }

  var protobufType: UInt64 {
    switch self {
    case .counter: 0
    case .gauge, .info, .stateSet: 1
    case .summary: 2
    case .unknown: 3
    case .histogram: 4
    case .gaugeHistogram: 5
    }
  }

  /// The number of the field of `Metric` that has the value.
  var protobufField: UInt64 {
    switch self {
    case .gauge, .info, .stateSet: 2
    case .counter: 3
    case .summary: 4
    case .unknown: 5
    case .histogram, .gaugeHistogram: 7
    }
  }
}
