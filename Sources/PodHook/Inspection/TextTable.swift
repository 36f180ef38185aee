/// Rows for people, aligned under a header.
enum TextTable {
  /// - Parameter rows: of the same number of cells; the first one is the header.
  static func text(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) {
        line += cell + String(repeating: " ", count: width - cell.count + 3)
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
