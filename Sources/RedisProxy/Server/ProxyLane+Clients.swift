import NIOCore

/// Clients that come and go.
extension ProxyLane {
  func admit(_ client: ClientHandler) {
    clients[ObjectIdentifier(client)] = client
    if isDraining { return client.close() }
    guard !gate.enter() else {
      client.isAdmitted = true
      return
    }
    client.wait = .admission
    waiting.append((client, now + configuration.connectTimeout))
  }

  func left(_ client: ClientHandler) {
    clients[ObjectIdentifier(client)] = nil
    if client.isAdmitted {
      gate.leave()
      admitWaiting()
    } else if client.wait == .admission {
      waiting.removeAll { $0.client === client }
    }
  }

  func admitWaiting() {
    while let (client, _) = waiting.first, gate.enter() {
      waiting.removeFirst()
      client.admitted()
    }
  }

  func refuseLateClients(at now: NIODeadline) {
    while let (client, until) = waiting.first, until <= now {
      waiting.removeFirst()
      client.refuseAdmission()
    }
  }
}
