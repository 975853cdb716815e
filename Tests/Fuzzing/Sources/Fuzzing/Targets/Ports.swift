@testable import DaemonKit

extension FuzzTarget {
    /// All of it is what a variable says of a port.
    func attemptPorts(_ input: Input) {
        let text = input.text
        let number = text.plainNumber.flatMap { $0 <= 65535 ? Int($0) : nil }
        do {
            let endpoint = try Listener.Fallback.port(fromVariable: "PORT", default: 1).endpoint([
                "PORT": text
            ])
            claim(endpoint == .port(text.isEmpty ? 1 : number ?? -1), "\(text.debugDescription): \(endpoint)")
        } catch {
            claim(number == nil && !text.isEmpty, "\(text.debugDescription) is a port")
            claim("\(error)".isMessage, "\(error)")
        }
    }
}
