import SupervisionLock

/// Keeps what it is given, in order, and lets a test wait for it.
///
/// ```swift
/// let seen = Recorder<String>()
/// let feed = ChildSpec("feed") { child in
///     child.started()
///     for url in urls { seen.add(url) }
/// }
/// // …
/// await seen.wait(for: "db://localhost")
/// ```
///
/// Nothing here polls or sleeps: who waits is woken by the one who adds.
public final class Recorder<Element: Sendable>: Sendable {
    private struct Watcher {
        let isWanted: @Sendable (Element) -> Bool
        var missing: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var elements: [Element] = []
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
        var isClosed = false
    }

    private let state = Locked(State())

    /// Makes a recorder that has nothing yet.
    public init() {}

    /// Everything so far.
    public var all: [Element] {
        state.withLock(\.elements)
    }

    /// Adds an element, and wakes those who waited for it.
    public func add(_ element: Element) {
        let satisfied = state.withLock { state in
            state.elements.append(element)
            var satisfied: [CheckedContinuation<Void, Never>] = []
            for (number, watcher) in state.watchers where watcher.isWanted(element) {
                if watcher.missing > 1 {
                    state.watchers[number]?.missing -= 1
                } else {
                    state.watchers[number] = nil
                    satisfied.append(watcher.continuation)
                }
            }
            return satisfied
        }
        for continuation in satisfied { continuation.resume() }
    }

    /// Waits until it has been given that many elements in all.
    ///
    /// Returns early when the task is cancelled, as a time limit does it.
    public func wait(forCount count: Int) async {
        await wait(count: count) { _ in true }
    }

    /// Waits until that many of the elements, those that are there already included, are wanted ones.
    ///
    /// Returns early when the task is cancelled, as a time limit does it.
    ///
    /// - Parameters:
    ///   - count: How many; one by default.
    ///   - isWanted: Whether an element is one of them.
    /// - Returns: Whether they are there; false after a cancellation.
    @discardableResult
    public func wait(count: Int = 1, until isWanted: @escaping @Sendable (Element) -> Bool) async -> Bool {
        let number = state.withLock { state in
            state.nextWatcher += 1
            return state.nextWatcher
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let missing = count - state.elements.count(where: isWanted)
                    guard missing > 0, !state.isClosed, !Task.isCancelled else { return true }
                    state.watchers[number] = Watcher(
                        isWanted: isWanted,
                        missing: missing,
                        continuation: continuation
                    )
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.watchers.removeValue(forKey: number) }?.continuation.resume()
        }
        return state.withLock { $0.elements.count(where: isWanted) } >= count
    }

    /// Wakes all who wait: nothing will be added that they could wait for.
    func close() {
        let watchers = state.withLock { state in
            state.isClosed = true
            defer { state.watchers = [:] }
            return state.watchers.values
        }
        for watcher in watchers { watcher.continuation.resume() }
    }
}

extension Recorder where Element: Equatable & Sendable {
    /// Waits until it has been given an element as often as that.
    ///
    /// Returns early when the task is cancelled, as a time limit does it.
    public func wait(for element: Element, count: Int = 1) async {
        await wait(count: count) { $0 == element }
    }
}
