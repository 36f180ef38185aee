import Gzip
import NIOCore
import PrometheusText

/// An answer that is written piece by piece, as the scraper takes it.
actor MergedAnswer {
  private let plan: MergePlan
  private var writer: FamilyWriter
  private let gzip: GzipWriter?

  private var family = 0
  private var selection = 0
  private var record: Int?
  private var hasBegun = false
  private var isFinished = false

  /// - Parameter gzip: packs the answer.
  init(_ plan: MergePlan, _ output: NegotiatedFormat, gzip: sending GzipWriter?) {
    self.plan = plan
    self.gzip = gzip
    writer = FamilyWriter(output)
  }

  /// The next bytes, never none; nil behind the last.
  func next() -> ByteBuffer? {
    while !isFinished {
      fill()
      let bytes = writer.sink.withBytes { bytes in
        gzip.map { ByteBuffer(bytes: $0.pack(bytes, isLast: isFinished)) }
          ?? ByteBuffer(bytes: bytes)
      }
      writer.sink.removeAll()
      if bytes.readableBytes > 0 { return bytes }
    }
    return nil
  }

  /// Writes until there is enough for one piece, or all is written.
  private func fill() {
    while family < plan.families.count {
      let current = plan.families[family]
      if !hasBegun {
        writer.begin(current.head)
        hasBegun = true
      }
      while selection < current.selections.count {
        record = writer.append(current.selections[selection], from: record)
        if record == nil { selection += 1 }
        if writer.isFull { return }
      }
      writer.end()
      family += 1
      selection = 0
      hasBegun = false
      if writer.isFull { return }
    }
    writer.finish()
    isFinished = true
  }
}
