/// How a task begins.
enum Start: String, CaseIterable {
    /// At once, on the thread of the one who starts it, until it first suspends.
    case inline

    /// When a thread of the pool is free.
    case enqueued

    func callAsFunction(_ body: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
        switch self {
        case .inline: Task.immediate(operation: body)
        case .enqueued: Task(operation: body)
        }
    }
}
