/// The calls that a supervisor is serving: mostly one.
struct PendingCalls {
    private var newest: PendingCall?
    // To look one up in it costs more than all the rest of a short call.
    private var others: [Int: PendingCall] = [:]

    mutating func add(_ call: PendingCall) {
        if let newest { others[newest.number] = newest }
        newest = call
    }

    subscript(number: Int) -> PendingCall? {
        newest?.number == number ? newest : others[number]
    }

    @discardableResult
    mutating func remove(_ number: Int) -> PendingCall? {
        newest?.number == number ? newest.take() : others.removeValue(forKey: number)
    }
}
