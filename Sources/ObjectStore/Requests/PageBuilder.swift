/// Makes a page of the keys that a store finds in order: folds them, counts them, and says where to
/// look on.
package struct PageBuilder {
  private let prefix: [UInt8]
  private let delimiter: [UInt8]
  private let limit: Int
  /// What the request comes after.
  private let start: ListPosition
  private var entries: [ListPage.Entry] = []
  private var hasMore = false
  /// Where the next key has to be looked for. What comes before needs no ``add(_:)``.
  package private(set) var position: ListPosition

  package init(_ request: ListRequest) {
    prefix = Array(request.prefix.utf8)
    delimiter = request.delimiter.map { Array($0.utf8) } ?? []
    limit = min(max(request.limit, 1), ListRequest.maximumLimit)
    start = request.after.map { .after(Array($0.utf8)) } ?? .start
    position = start
  }

  /// Adds a key that has the prefix of the request and comes after ``position``.
  ///
  /// - Returns: whether there is room for more.
  package mutating func add(_ object: ListedObject) -> Bool {
    let key = Array(object.key.utf8)
    let fold = fold(of: key)
    let isShown = fold.map { start.isBefore($0) } ?? true
    if isShown && entries.count == limit {
      hasMore = true
      return false
    }
    if let fold {
      position = .past(fold)
      if isShown { entries.append(.prefix(String(decoding: fold, as: UTF8.self))) }
    } else {
      position = .after(key)
      entries.append(.object(object))
    }
    return true
  }

  package var page: ListPage {
    let last =
      switch entries.last {
      case .object(let object): object.key
      case .prefix(let prefix): prefix
      case nil: nil as String?
      }
    return ListPage(entries: entries, next: hasMore ? last : nil)
  }

  private func fold(of key: [UInt8]) -> [UInt8]? {
    guard !delimiter.isEmpty, key.count >= prefix.count + delimiter.count else { return nil }
    for start in prefix.count...(key.count - delimiter.count)
    where key[start...].starts(with: delimiter) {
      return Array(key[..<(start + delimiter.count)])
    }
    return nil
  }
}
