import NIOCore

/// What one HTTP/2 connection and its requests have seen, and how long they may go on: decisions only, as those of
/// ``HTTP1Lifecycle``.
struct HTTP2Lifecycle<ID: Hashable & Comparable> {
    enum Action: Equatable {
        /// Tell the client to send no further requests, and ask for its answer (GOAWAY without a number, PING).
        case announceEnd
        /// Tell the client that what came after this request will not be answered (GOAWAY with its number).
        case refuseAfter(ID?)
        /// Close the connection.
        case close
        /// End one request, unanswered or half answered (RST_STREAM).
        case reset(ID)
    }

    private enum Phase {
        case open
        /// The client may not have heard yet that it is to send no further requests.
        case announced
        /// What is open is finished.
        case finishing
        case closed
    }

    private struct Stream {
        /// How long the client may take with more of its request.
        var patience: NIODeadline?
        /// How long it may take with more of its response.
        var stall: NIODeadline?

        var deadline: NIODeadline? {
            guard let patience, let stall else { return patience ?? stall }
            return min(patience, stall)
        }
    }

    private let times: HTTPConfiguration
    private var phase = Phase.open
    private var streams: [ID: Stream] = [:]
    private var newest: ID?
    private var patience: NIODeadline?

    /// When ``deadlinePassed(now:)`` is wanted: no later, perhaps earlier.
    private(set) var deadline: NIODeadline?

    init(_ times: HTTPConfiguration) {
        self.times = times
    }

    // MARK: Requests

    mutating func connected(now: NIODeadline) {
        wait(until: now + times.headTimeout)
    }

    /// A request begins.
    ///
    /// Parts of it may be told before this.
    mutating func opened(_ id: ID, now: NIODeadline) {
        if streams[id] == nil { received(id, isEnd: false, now: now) }
    }

    /// Part of a request has come.
    mutating func received(_ id: ID, isEnd: Bool, now: NIODeadline) {
        // What comes late, of one that is closed, does not open it again.
        if streams[id] == nil, newest.map({ id > $0 }) ?? true {
            newest = id
            if phase == .open { patience = nil }
            streams[id] = Stream()
        }
        // How long a route takes is its own business.
        let patience = isEnd ? nil : now + times.idleTimeout
        change(id) { $0.patience = patience }
    }

    /// As much of a response waits for the client as may, or all of it, or no longer.
    mutating func waits(_ id: ID, _ isWaiting: Bool, now: NIODeadline) {
        let stall = isWaiting ? now + times.writeTimeout : nil
        change(id) { $0.stall = stall }
    }

    /// Part of a response was sent.
    mutating func sent(_ id: ID, now: NIODeadline) {
        guard streams[id]?.stall != nil else { return }
        waits(id, true, now: now)
    }

    mutating func closed(_ id: ID, now: NIODeadline) -> Action? {
        let wasOpen = streams.removeValue(forKey: id) != nil
        guard wasOpen, streams.isEmpty else { return nil }
        switch phase {
        case .open: wait(until: now + times.idleTimeout)
        case .finishing: return close()
        case .announced, .closed: break
        }
        return nil
    }

    // MARK: Ending

    mutating func drain(now: NIODeadline) -> Action? {
        guard phase == .open else { return nil }
        phase = .announced
        wait(until: now + times.drainGrace)
        return .announceEnd
    }

    /// The client has heard what was announced.
    mutating func heard() -> [Action] {
        guard phase == .announced else { return [] }
        phase = .finishing
        patience = nil
        let refusal = Action.refuseAfter(newest)
        return streams.isEmpty ? [refusal, close()] : [refusal]
    }

    mutating func deadlinePassed(now: NIODeadline) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        var actions: [Action] = []
        if let patience, now >= patience {
            self.patience = nil
            switch phase {
            case .open: if let action = drain(now: now) { actions.append(action) }
            case .announced: actions += heard()
            case .finishing, .closed: break
            }
        }
        for (id, stream) in streams {
            guard let deadline = stream.deadline, now >= deadline else { continue }
            streams[id] = Stream()
            actions.append(.reset(id))
        }
        self.deadline = ([patience] + streams.values.map(\.deadline)).compactMap(\.self).min()
        return actions
    }

    private mutating func close() -> Action {
        phase = .closed
        return .close
    }

    private mutating func wait(until time: NIODeadline) {
        patience = time
        deadline = min(deadline ?? time, time)
    }

    private mutating func change(_ id: ID, _ body: (inout Stream) -> Void) {
        guard var stream = streams[id] else { return }
        body(&stream)
        streams[id] = stream
        if let time = stream.deadline { deadline = min(deadline ?? time, time) }
    }
}
