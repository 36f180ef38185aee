import NIOHTTP1
import ServiceKit

extension MonitorResponse {
  static func unavailable(_ reason: String) -> MonitorResponse {
    .text(reason, status: .serviceUnavailable)
  }
}
