import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import Testing

/// Many Pods at once want permits of one semaphore, from two replicas of the webhook.
@Suite(
  .serialized,
  .cluster { $0.hooks = [.init(.atLeastSemaphore, replicas: 2)] })
struct PermitContentionTests {
  @Test func aHundredPodsGetAHundredPermitsAtTheFirstTry() async throws {
    let cluster = try cluster()
    let (length, key) = (100, "crowd")
    try await withClient(
      trusting: cluster.certificates.authorityPath, connections: length
    ) { client in
      try await withThrowingTaskGroup(of: JSONValue?.self) { group in
        for number in 0..<length {
          let address = "\(cluster.hooks[number % 2].address)?timeout=10s"
          group.addTask {
            let pod = permitPod("pod-\(number)", key: key, length: length)
            return try await client.post(address, review(pod).encoded).response
          }
        }
        for try await response in group {
          #expect(response?["allowed"] == true, "\(String(describing: response))")
        }
      }
    }
    #expect(try await cluster.rawCounts(key) == RawCounts(queue: 0, inFlight: length))
    for _ in 0..<2 {
      let refusal = try await cluster.kubelet.refusal(
        of: permitPod("late", key: key, length: length))
      #expect(refusal.code == 403)
      #expect(refusal.message.contains("no semaphore available: 100 of 100 permits are in flight"))
    }
  }
}
