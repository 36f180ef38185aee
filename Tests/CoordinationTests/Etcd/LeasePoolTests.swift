import EtcdClient
import LocalServers
import Testing

@testable import Coordination

@Suite struct LeasePoolTests {
  /// A pool whose clock moves on by `delay` while a lease is granted.
  private func pool(
    delay: Duration, _ clock: ShiftedTime, _ granted: Observed<Int>
  ) -> LeasePool {
    LeasePool(time: clock) { ttl, _ in
      let start = clock.now
      clock.advance(by: delay)
      let number = granted.update {
        $0 += 1
        return $0
      }
      return .success(LeasePool.Lease(lease: EtcdLease(Int64(number)), start: start, ttl: ttl))
    }
  }

  @Test func aLeaseIsSharedByAllWhoDoNotMind() async throws {
    let (clock, granted) = (ShiftedTime(), Observed(0))
    let pool = pool(delay: .zero, clock, granted)
    let ttl = Duration.seconds(60)
    let key = NamespacedKey(namespace: "team", key: "a")
    let first = try await pool.lease(ttl: ttl, deadline: clock.now + .seconds(60))
    #expect(first.ttl == ttl + LeasePool.sharingTime)
    for _ in 0..<3 {
      let next = try await pool.lease(ttl: ttl, deadline: clock.now + .seconds(60))
      #expect(next.lease == first.lease)
    }
    // For a lock once for each key.
    let deadline = clock.now + .seconds(60)
    #expect(try await pool.lease(for: key, ttl: ttl, deadline: deadline)?.lease == first.lease)
    #expect(try await pool.lease(for: key, ttl: ttl, deadline: deadline) == nil)
    clock.advance(by: LeasePool.sharingTime)
    let later = clock.now + .seconds(60)
    #expect(try await pool.lease(for: key, ttl: ttl, deadline: later)?.lease == EtcdLease(2))
    #expect(granted.current == 2)
  }

  /// Else nobody would ever get one from an etcd that takes so long.
  @Test func aLeaseThatWasSlowToComeIsUsedAllTheSame() async throws {
    let (clock, granted) = (ShiftedTime(), Observed(0))
    let pool = pool(delay: LeasePool.sharingTime * 3, clock, granted)
    let ttl = Duration.seconds(60)
    let lease = try await pool.lease(ttl: ttl, deadline: clock.now + .seconds(60))
    #expect(lease.lease == EtcdLease(1))
    let key = NamespacedKey(namespace: "team", key: "a")
    let keyed = try await pool.lease(for: key, ttl: ttl, deadline: clock.now + .seconds(60))
    #expect(keyed?.lease == EtcdLease(2))
    #expect(granted.current == 2)
  }
}
