struct AcceptLoop {
    let socket: ListeningSocket
    let session: ServingSession

    func run(_ handle: @escaping @Sendable (Connection) async throws -> Void) async throws {
    }
}
