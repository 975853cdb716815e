import Glibc

/// One reader of outside text, or several that read the same.
enum FuzzTarget: String, CaseIterable {
    case environment
    case names
    case addresses
    case credentials
    case pressure
    case journal
    case lines
    case status
    case variables
    case notifications
    case ports

    /// The one that the variable `FUZZ_TARGET` names.
    static let chosen: FuzzTarget = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let names = allCases.map(\.rawValue).joined(separator: ", ")
            say("FUZZ_TARGET is \"\(name)\", it must be one of \(names)")
            exit(64)
        }
        return target
    }()

    func attempt(_ input: Input) {
        switch self {
        case .environment: attemptEnvironment(input)
        case .names: attemptNames(input)
        case .addresses: attemptAddresses(input)
        case .credentials: attemptCredentials(input)
        case .pressure: attemptPressure(input)
        case .journal: attemptJournal(input)
        case .lines: attemptLines(input)
        case .status: attemptStatus(input)
        case .variables: attemptVariables(input)
        case .notifications: attemptNotifications(input)
        case .ports: attemptPorts(input)
        }
    }
}
