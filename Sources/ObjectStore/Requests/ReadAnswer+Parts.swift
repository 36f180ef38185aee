extension ReadAnswer {
  /// - Parameter answer: any but `content`.
  package init(withoutContent answer: HeadAnswer) {
    self =
      switch answer {
      case .notModified(let info): .notModified(info)
      case .conditionFailed: .conditionFailed
      case .unsatisfiable(let info): .unsatisfiable(info)
      case .missing, .content: .missing
      }
  }
}

extension ReadPart {
  /// The bytes that it stands for.
  package func range(of info: ObjectInfo) -> Range<Int> {
    switch self {
    case .whole: 0..<info.size
    case .range(let range): range
    }
  }
}

extension ListedObject {
  package init(_ key: ObjectKey, _ info: ObjectInfo) {
    self.init(key: key.text, size: info.size, etag: info.etag, modified: info.modified)
  }
}
