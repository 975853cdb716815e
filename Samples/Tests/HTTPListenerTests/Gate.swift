/// Holds a route until the test lets it go on, and tells the test that it has got there.
final class Gate: Sendable {
    private let arrivals = AsyncStream<Void>.makeStream()
    private let departures = AsyncStream<Void>.makeStream()
    private let opening = AsyncStream<Void>.makeStream()

    /// The route's side; throws when the request's task is cancelled.
    func pass() async throws {
        arrivals.continuation.yield()
        for await _ in opening.stream {}
        departures.continuation.yield()
        try Task.checkCancellation()
    }

    func arrived() async {
        for await _ in arrivals.stream { return }
    }

    func left() async {
        for await _ in departures.stream { return }
    }

    func open() { opening.continuation.finish() }
}
