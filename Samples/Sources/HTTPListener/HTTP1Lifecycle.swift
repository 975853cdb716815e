import NIOCore

/// What one HTTP/1 connection has seen, and how long it may go on: decisions only, so that they can be tested
/// as values.
///
/// Inputs say what happened and when; what is to be done is returned. ``deadline`` is the time at which
/// ``deadlinePassed(unsent:now:)`` is wanted, and may change with every input.
struct HTTP1Lifecycle {
    enum Phase: Equatable {
        /// Requests are taken.
        case open
        /// No further request is taken; the connection ends with the response that is due.
        case lastRequest
        /// The last response is written, and not all is sent yet.
        case flushing
        /// All is sent and the sending ended; what the client still sends is dropped until it closes.
        case lingering
    }

    /// What becomes of a part of a request.
    enum Intake: Equatable {
        case pass
        case drop
        case refuse(Refusal)
    }

    private let times: HTTPConfiguration
    private(set) var phase = Phase.open

    /// How long the client may leave us waiting for what is its turn to do.
    private var patience: NIODeadline?
    /// Until when the client has to take some of what is to be sent, and how much that was.
    private var stall: (deadline: NIODeadline, unsent: Int)?

    /// Requests whose head was passed on, and whose response has not been written to its end.
    private var inProgress = 0
    /// Responses that have been written to their end, and wait for the client to take them.
    private var sending = 0
    private var isWritable = true
    private var isReadingRequest = false
    /// More is asked of the client, and nothing has come since.
    private var isReadOutstanding = false
    /// Parts have come since the last pause in reading.
    private var sawParts = false
    /// Bytes of a head have come, and not all of it; at the beginning, of the first head none at all.
    private var awaitsHead = true
    private var isDraining = false
    private var isInputClosed = false
    /// HTTP/1.0, where a connection persists only if both sides say so.
    private(set) var isVersion10 = false

    init(_ times: HTTPConfiguration) {
        self.times = times
    }

    // MARK: Reading

    mutating func connected(now: NIODeadline) {
        patience = now + times.headTimeout
    }

    /// More is to be read: until that, what the client has to send cannot be late.
    mutating func readRequested(now: NIODeadline) {
        isReadOutstanding = true
        if isReadingRequest, !isEnding, patience == nil { patience = turn(from: now) }
    }

    mutating func requestHead(keepAlive: Bool, hosts: Int, isVersion10: Bool, now: NIODeadline) -> Intake {
        sawPart()
        guard phase == .open else { return .drop }
        // While draining, one request more is answered, and none that comes behind it. Nor is one of another version
        // than those before it: what is due is written for theirs.
        if inProgress > 0, isDraining || isVersion10 != self.isVersion10 {
            phase = .lastRequest
            return .drop
        }
        awaitsHead = false
        guard hosts == 1 || (hosts == 0 && isVersion10) else {
            return refuse(.hosts(hosts))
        }
        self.isVersion10 = isVersion10
        inProgress += 1
        isReadingRequest = true
        if !keepAlive { phase = .lastRequest }
        patience = turn(from: now)
        return .pass
    }

    mutating func requestBody(now: NIODeadline) -> Intake {
        sawPart()
        guard isReadingRequest, !isEnding else { return .drop }
        patience = turn(from: now)
        return .pass
    }

    mutating func requestEnd(now: NIODeadline) -> Intake {
        sawPart()
        guard isReadingRequest, !isEnding else { return .drop }
        isReadingRequest = false
        patience = turn(from: now)
        return .pass
    }

    private mutating func sawPart() {
        sawParts = true
        isReadOutstanding = false
    }

    /// All that has arrived so far is read.
    mutating func readComplete(now: NIODeadline) {
        if !sawParts, inProgress == 0, !isReadingRequest, phase == .open, !awaitsHead {
            awaitsHead = true
            patience = turn(from: now)
        }
        sawParts = false
    }

    /// What has come is not HTTP: nothing that follows can be read any more.
    mutating func requestBroken(_ refusal: Refusal, now: NIODeadline) -> Intake {
        // Within a body, the route has to learn of it: it may answer, or has answered in part.
        if isReadingRequest, !isEnding {
            phase = .lastRequest
            isReadingRequest = false
            patience = turn(from: now)
            return .pass
        }
        guard phase == .open else { return .drop }
        return refuse(refusal)
    }

    mutating func inputClosed() {
        isInputClosed = true
        if phase == .open, inProgress > 0 { phase = .lastRequest }
    }

    private mutating func refuse(_ refusal: Refusal) -> Intake {
        phase = .lastRequest
        // Behind a request that is being answered, the end of the connection is answer enough.
        guard inProgress == 0 else { return .drop }
        inProgress = 1
        return .refuse(refusal)
    }

    /// Until when the client may leave undone what it has to send now; nil where that is not its turn.
    private func turn(from now: NIODeadline) -> NIODeadline? {
        // While it takes what has been written, it need not send.
        if sending > 0 { return nil }
        if inProgress > 0 {
            // How long a route takes is its own business, also before it reads.
            return isReadingRequest && isReadOutstanding ? now + times.idleTimeout : nil
        }
        if isDraining {
            return now + (awaitsHead || isReadingRequest ? times.drainGrace : times.idleDrainGrace)
        }
        return now + (awaitsHead ? times.headTimeout : times.idleTimeout)
    }

    // MARK: Writing

    /// Whether what is written now belongs to the request whose head was passed on last.
    var isResponseNext: Bool { inProgress == 1 }

    /// - Returns: Whether the response has to say that the connection ends with it.
    mutating func responseHead(keepAlive: Bool) -> Bool {
        responsePart()
        if !keepAlive {
            phase = max(phase, .lastRequest)
            // What was asked behind it is not answered: after such a response the client does not expect anything, and
            // takes it for more of the body where that has no length.
            inProgress = min(inProgress, 1)
        }
        if isDraining, inProgress <= 1 { phase = max(phase, .lastRequest) }
        return phase != .open && inProgress <= 1
    }

    /// More of a response is written: how much waits to be sent does not tell any longer what the client took.
    mutating func responsePart() {
        stall?.unsent = .max
    }

    /// A response is written to its end; ``responseSent(now:)`` is to follow.
    ///
    /// - Returns: Whether the connection ends when this is sent.
    mutating func responseEnd(now: NIODeadline) -> Bool {
        inProgress = max(0, inProgress - 1)
        sending += 1
        if inProgress == 0, phase == .lastRequest || isDraining || isInputClosed {
            flush(now: now)
            return true
        }
        responsePart()
        patience = nil
        // Less of it may wait than makes the channel unwritable.
        stall = stall ?? (now + times.writeTimeout, .max)
        return false
    }

    /// A response that was written to its end has been sent, or never will be.
    ///
    /// - Returns: Whether to end the sending.
    mutating func responseSent(now: NIODeadline) -> Bool {
        sending -= 1
        guard phase < .flushing else { return phase == .flushing && sending == 0 }
        stall = sending > 0 || !isWritable ? (now + times.writeTimeout, .max) : nil
        patience = turn(from: now)
        return false
    }

    /// As much waits to be sent as may, or no longer.
    mutating func writabilityChanged(_ isWritable: Bool, now: NIODeadline) {
        self.isWritable = isWritable
        guard phase < .flushing else { return }
        stall = sending > 0 || !isWritable ? (now + times.writeTimeout, .max) : nil
    }

    /// Nothing more will be written.
    ///
    /// - Returns: Whether the sending ends when all is sent, rather than now.
    mutating func outputEnds(now: NIODeadline) -> Bool {
        if sending > 0, phase < .flushing { flush(now: now) }
        return phase == .flushing
    }

    private mutating func flush(now: NIODeadline) {
        phase = .flushing
        patience = nil
        stall = (now + times.writeTimeout, .max)
    }

    mutating func outputClosed(now: NIODeadline) {
        phase = .lingering
        stall = nil
        patience = now + times.lingerTimeout
    }

    // MARK: Ending

    /// Whether nothing that still comes counts.
    var isEnding: Bool { phase == .flushing || phase == .lingering }

    /// Whether a further request, or the rest of the last one, may come.
    var takesMore: Bool { phase == .open || (phase == .lastRequest && isReadingRequest) }

    mutating func drain(now: NIODeadline) {
        guard !isDraining else { return }
        isDraining = true
        guard inProgress == 0, phase == .open else { return }
        patience = turn(from: now)
    }

    /// When ``deadlinePassed(unsent:now:)`` is wanted.
    var deadline: NIODeadline? {
        guard let patience, let stall else { return patience ?? stall?.deadline }
        return min(patience, stall.deadline)
    }

    /// - Parameters:
    ///   - unsent: How many bytes wait for the client to take them.
    ///   - now: The present.
    /// - Returns: Whether to close at once.
    mutating func deadlinePassed(unsent: Int, now: NIODeadline) -> Bool {
        if let patience, now >= patience {
            self.patience = nil
            return true
        }
        guard let stall, now >= stall.deadline else { return false }
        // A client that is slow, but takes something, is served.
        self.stall = unsent < stall.unsent ? (now + times.writeTimeout, unsent) : nil
        return self.stall == nil
    }
}

extension HTTP1Lifecycle.Phase: Comparable {
    private var order: Int {
        switch self {
        case .open: 0
        case .lastRequest: 1
        case .flushing: 2
        case .lingering: 3
        }
    }

    static func < (one: Self, other: Self) -> Bool { one.order < other.order }
}
