import SupervisionLock

/// One health check, made at most once at a time.
final class HealthProbe: Sendable {
    private let check: HealthCheck
    private let isRunning = Locked(false)

    init(_ check: @escaping HealthCheck) {
        self.check = check
    }

    /// Makes the check, unless the last time it was made is not over.
    ///
    /// - Parameter answer: Given what is wrong, or nil; called once, or never by a check that does not answer.
    func start(answer: @escaping @Sendable (String?) -> Void) {
        let isFree = isRunning.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        guard isFree else { return }
        Task {
            let problem: String?
            do { problem = try await check() ? nil : "is not well" } catch {
                problem = "is not well: \(error)"
            }
            isRunning.withLock { $0 = false }
            answer(problem)
        }
    }
}
