import NIOCore

/// What one HTTP/2 connection and its requests have seen, and how long they may go on: decisions only, as those of
/// ``HTTP1Lifecycle``.
struct HTTP2Lifecycle<ID: Hashable & Comparable> {
    enum Action: Equatable {
        /// Tell the client to send no further requests, and ask for its answer (GOAWAY without a number, PING).
        case announceEnd
        /// Tell the client that what came after this request will not be answered (GOAWAY with its number).
        case refuseAfter(ID?)
        /// Close the connection when all that is written has been sent.
        case close
        /// Close the connection now.
        case cut
        /// End one request, unanswered or half answered (RST_STREAM).
        case reset(ID)
    }

    private enum Phase {
        case open
        /// The client may not have heard yet that it is to send no further requests.
        case announced
        /// What is open is finished.
        case finishing
        /// What is written is sent.
        case closing
    }

    /// Until when the client has to take some of what waits for it, and how much waited in the connection.
    private typealias Stall = (deadline: NIODeadline, unsent: Int)

    private struct Stream {
        /// Nothing more comes of its request.
        var isWhole = false
        /// How long the client may take with more of its request.
        var patience: NIODeadline?
        /// How long it may take with more of its response.
        var stall: Stall?

        var deadline: NIODeadline? {
            guard let patience, let stall else { return patience ?? stall?.deadline }
            return min(patience, stall.deadline)
        }
    }

    private let times: HTTPConfiguration
    private var phase = Phase.open
    private var streams: [ID: Stream] = [:]
    private var newest: ID?
    private var patience: NIODeadline?
    /// While closing.
    private var stall: Stall?

    /// When ``deadlinePassed(unsent:now:)`` is wanted: no later, perhaps earlier.
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
        guard streams[id] == nil, received(id, isEnd: false, now: now) else { return }
        readRequested(id, now: now)
    }

    /// Part of a request has come.
    ///
    /// - Returns: Whether a route may see it: none that the client is told, or will be, to be refused.
    mutating func received(_ id: ID, isEnd: Bool, now: NIODeadline) -> Bool {
        // What comes late, of one that is closed, does not open it again.
        if streams[id] == nil, newest.map({ id > $0 }) ?? true {
            guard phase == .open || phase == .announced else { return false }
            newest = id
            if phase == .open { patience = nil }
            streams[id] = Stream()
        }
        // How long a route takes is its own business, also before it reads on.
        change(id) {
            $0.isWhole = $0.isWhole || isEnd
            $0.patience = nil
        }
        return true
    }

    /// More of a request is to be read: until that, it cannot be late.
    mutating func readRequested(_ id: ID, now: NIODeadline) {
        let patience = now + times.idleTimeout
        change(id) {
            if !$0.isWhole { $0.patience = $0.patience ?? patience }
        }
    }

    /// As much of a response waits for the client as may, or all of it, or no longer.
    mutating func waits(_ id: ID, _ isWaiting: Bool, now: NIODeadline) {
        let stall = isWaiting ? newStall(from: now) : nil
        change(id) { $0.stall = stall }
    }

    /// Part of a response was sent, perhaps its end: then nothing waits, though more of the request may come.
    mutating func sent(_ id: ID, isEnd: Bool, now: NIODeadline) {
        guard streams[id]?.stall != nil else { return }
        waits(id, !isEnd, now: now)
    }

    mutating func closed(_ id: ID, now: NIODeadline) -> Action? {
        let wasOpen = streams.removeValue(forKey: id) != nil
        guard wasOpen, streams.isEmpty else { return nil }
        switch phase {
        case .open: wait(until: now + times.idleTimeout)
        case .finishing: return close(now: now)
        case .announced, .closing: break
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
    mutating func heard(now: NIODeadline) -> [Action] {
        guard phase == .announced else { return [] }
        phase = .finishing
        patience = nil
        let refusal = Action.refuseAfter(newest)
        return streams.isEmpty ? [refusal, close(now: now)] : [refusal]
    }

    /// The client has broken the rules, and has been told so: nothing more will be read.
    mutating func broken(now: NIODeadline) -> Action? {
        phase == .closing ? nil : close(now: now)
    }

    /// - Parameters:
    ///   - unsent: How many bytes of the connection wait for the client to take them.
    ///   - now: The present.
    /// - Returns: What to do.
    mutating func deadlinePassed(unsent: Int, now: NIODeadline) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        var actions: [Action] = []
        if let stall, now >= stall.deadline {
            self.stall = goesOn(stall, unsent: unsent, now: now)
            guard self.stall != nil else {
                self.deadline = nil
                return [.cut]
            }
        }
        if let patience, now >= patience {
            self.patience = nil
            switch phase {
            case .open: if let action = drain(now: now) { actions.append(action) }
            case .announced: actions += heard(now: now)
            case .finishing, .closing: break
            }
        }
        for (id, var stream) in streams {
            guard let deadline = stream.deadline, now >= deadline else { continue }
            let stall = stream.stall.flatMap { goesOn($0, unsent: unsent, now: now) }
            let takesNothing = stream.stall != nil && stall == nil
            let sendsNothing = stream.patience.map { now >= $0 } ?? false
            stream.stall = stall
            streams[id] = takesNothing || sendsNothing ? Stream(isWhole: true) : stream
            if takesNothing || sendsNothing { actions.append(.reset(id)) }
        }
        let deadlines = [patience, stall?.deadline] + streams.values.map(\.deadline)
        self.deadline = deadlines.compactMap(\.self).min()
        return actions
    }

    /// What was written when it was time to close has been sent.
    mutating func allSent() {
        stall = nil
    }

    private mutating func close(now: NIODeadline) -> Action {
        phase = .closing
        patience = nil
        let stall = newStall(from: now)
        self.stall = stall
        deadline = min(deadline ?? stall.deadline, stall.deadline)
        return .close
    }

    private func newStall(from now: NIODeadline) -> Stall {
        (now + times.writeTimeout, .max)
    }

    /// The same as long as it is not over; a new one for a client that is slow, but takes something; else nil.
    private func goesOn(_ stall: Stall, unsent: Int, now: NIODeadline) -> Stall? {
        if now < stall.deadline { return stall }
        return unsent > 0 && unsent < stall.unsent ? (now + times.writeTimeout, unsent) : nil
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
