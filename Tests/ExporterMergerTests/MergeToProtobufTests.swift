import ExporterMerger
import PrometheusText
import Testing

/// What becomes of families whose answer is protobuf, or that come as that.
@Suite struct MergeToProtobufTests {
  @Test func joinsAFamilyOfAnotherTypeInProtobufWithItsValue() throws {
    for kind in ["counter", "gauge"] {
      let merged = try mergeByProtobuf([
        (Array("# TYPE x \(kind)\nx 1\n".utf8), .text), (protobuf("x 42\n"), .protobuf),
      ])
      #expect(merged.text == "# TYPE x \(kind)\nx{src=\"a\"} 1\nx{src=\"b\"} 42\n")
    }
  }

  @Test func copiesFamiliesOfSeveralSourcesInProtobuf() throws {
    let histogram =
      "# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"
    let merged = try mergeByProtobuf([
      (Array(histogram.utf8), .text), (protobuf(histogram), .protobuf),
      (Array("# TYPE h gauge\nh 5\nh_count 6\n".utf8), .text),
    ])
    let lines = histogram.split(separator: "\n").dropFirst()
    for source in ["a", "b"] {
      for line in lines {
        let name = line.prefix { $0 != " " && $0 != "{" }
        let bounds =
          line.contains("{") ? "," + line.dropFirst(name.count + 1).prefix { $0 != "}" } : ""
        let value = line[(line.lastIndex(of: " ") ?? line.startIndex)...]
        #expect(merged.text.contains("\n\(name){src=\"\(source)\"\(bounds)}\(value)\n"))
      }
    }
    #expect(!merged.text.contains("src=\"c\"} 5"))
    #expect(merged.conflicts[2].dropped == 1)
  }

  @Test func takesHistogramsOfProtobufApartWhereTheyDoNotFit() throws {
    let histogram =
      "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\nh_created 1.5\n# EOF\n"
    let merged = try mergeByProtobuf([
      (Array("# TYPE h gauge\nh 1\n".utf8), .text),
      (protobuf(histogram, .openMetrics), .protobuf),
    ])
    #expect(
      merged.text
        == """
        # TYPE h gauge
        h{src="a"} 1
        # TYPE h_bucket untyped
        h_bucket{src="b",le="+Inf"} 2
        # TYPE h_count untyped
        h_count{src="b"} 2
        # TYPE h_created untyped
        h_created{src="b"} 1.5
        # TYPE h_sum untyped
        h_sum{src="b"} 3

        """.replacing(",le=\"+Inf\"", with: ",le=\"+Inf\""))
    // Lines are counted, not messages.
    #expect(merged.conflicts[1].kept == 4)
  }

  @Test func passesTimesOfCreationThroughProtobuf() throws {
    let text = """
      # TYPE a counter
      a_total 1
      a_created 5.25
      # TYPE h histogram
      h_bucket{le="+Inf"} 2
      h_sum 3.0
      h_count 2
      h_created 1.5
      # TYPE s summary
      s_sum 3
      s_count 2
      s_created 2.5
      # EOF

      """
    let source = try protobuf(text, .openMetrics)
    for (line, time) in [("a", "5.25"), ("h", "1.5"), ("s", "2.5")] {
      let written = try mergeBytes([(source, .protobuf)], as: NegotiatedFormat(.openMetrics)).bytes
      #expect(
        String(decoding: written, as: UTF8.self).contains("\n\(line)_created{src=\"a\"} \(time)\n"))
    }
    // Text 0.0.4 has none, and a direct scrape would have none there.
    let plain = try mergeBytes([(source, .protobuf)], as: NegotiatedFormat(.text)).bytes
    #expect(!String(decoding: plain, as: UTF8.self).contains("created"))
  }

  @Test func inventsNothingInProtobuf() throws {
    let text = """
      # TYPE c counter
      c_created{x="1"} 1
      c_total{x="1"} 1 5
      c_created{x="2"} 2
      # TYPE h histogram
      h_bucket{le="+Inf"} 2
      h_bucket{le="0.5"} 1
      h_bucket{le="?"} 9
      h_created 3
      h_sum 3 5
      h_count 2 5
      # TYPE nosum histogram
      nosum_bucket{le="+Inf"} 2
      nosum_count 2
      # TYPE s summary
      s{quantile="0.5"} 1
      # TYPE t summary
      t_sum 1
      t_count 1.5
      # EOF

      """
    let read = try mergeByProtobuf(
      [(Array(text.utf8), .openMetrics)], readAs: NegotiatedFormat(.openMetrics)
    ).text
    let lines = Set(read.split(separator: "\n").map(String.init))
    let wanted = [
      "c_total{src=\"a\",x=\"1\"} 1 5", "c_created{src=\"a\",x=\"1\"} 1 5",
      "c_created{src=\"a\",x=\"2\"} 2", "h_bucket{src=\"a\",le=\"?\"} 9",
      "nosum_bucket{src=\"a\",le=\"+Inf\"} 2", "nosum_count{src=\"a\"} 2",
      "s{src=\"a\",quantile=\"0.5\"} 1", "t_sum{src=\"a\"} 1", "t_count{src=\"a\"} 1.5",
    ]
    for line in wanted { #expect(lines.contains(line), "\(line) in \(read)") }
    for line in lines where !line.hasPrefix("#") && !line.hasPrefix("h_") {
      #expect(wanted.contains(line), "\(line)")
    }
    #expect(!read.contains(" 0\n"))
  }

  @Test func sortsBucketsInProtobuf() throws {
    let text =
      "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"0.5\"} 1\nh_sum 3\nh_count 2\n"
    let read = try mergeByProtobuf([(Array(text.utf8), .text)]).text
    #expect(
      read == """
        # TYPE h histogram
        h_bucket{src="a",le="0.5"} 1
        h_bucket{src="a",le="+Inf"} 2
        h_sum{src="a"} 3
        h_count{src="a"} 2

        """)
  }
}
