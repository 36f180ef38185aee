import NIOCore

/// What one member says of itself.
package struct EtcdMemberStatus: Sendable, Hashable {
  package let member: EtcdAddress
  package let version: String
  package let isLeader: Bool
  package let hasLeader: Bool
  package let databaseBytes: Int64
}

extension EtcdClient {
  /// Asks every member for its status, each within `timeout`; those that do not answer are left out.
  package func statuses(timeout: Duration) async -> [EtcdMemberStatus] {
    await withTaskGroup(of: EtcdMemberStatus?.self) { group in
      for endpoint in endpoints {
        group.addTask {
          let answer: Result<Etcdserverpb_StatusResponse, AttemptFailure> = await endpoint.exchange(
            Etcdserverpb_Maintenance.Method.Status.descriptor, Etcdserverpb_StatusRequest(),
            metadata: Self.metadata(token: nil), deadline: .now() + TimeAmount(timeout))
          guard case .success(let status) = answer else { return nil }
          return EtcdMemberStatus(
            member: endpoint.address, version: status.version,
            isLeader: status.leader == status.header.memberID && status.leader != 0,
            hasLeader: status.leader != 0, databaseBytes: status.dbSize)
        }
      }
      var statuses: [EtcdMemberStatus] = []
      for await case let status? in group { statuses.append(status) }
      return statuses
    }
  }

  /// Whether the cluster has run out of its space quota: then it only reads and deletes.
  package func isOutOfSpace(timeout: Duration) async throws(EtcdError) -> Bool {
    var request = Etcdserverpb_AlarmRequest()
    request.action = .get
    let answer: Etcdserverpb_AlarmResponse = try await call(
      Etcdserverpb_Maintenance.Method.Alarm.descriptor, request, timeout: timeout
    ).answer
    return answer.alarms.contains { $0.alarm == .nospace }
  }
}
