/// A label of a series, any names; labels are equal if their bytes are.
package struct SeriesLabel: Hashable, Sendable, Comparable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  package static func == (one: SeriesLabel, other: SeriesLabel) -> Bool {
    ExactText(one.name) == ExactText(other.name) && ExactText(one.value) == ExactText(other.value)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(ExactText(name))
    hasher.combine(ExactText(value))
  }

  package static func < (one: SeriesLabel, other: SeriesLabel) -> Bool {
    let names = (ExactText(one.name), ExactText(other.name))
    return names.0 == names.1 ? ExactText(one.value) < ExactText(other.value) : names.0 < names.1
  }
}
