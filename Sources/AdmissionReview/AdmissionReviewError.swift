/// Why bytes are not an AdmissionReview request. The text fits on one line and names the field.
package struct AdmissionReviewError: Error, Hashable, CustomStringConvertible {
  package let description: String
}
