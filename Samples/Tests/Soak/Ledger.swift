import DaemonKit

/// Counts the processes of the service in the manager's store, and writes that down again and again.
///
/// So each process finds what the one before it left, also where a message was lost meanwhile; and the store is
/// written all the time, by a child that fails too.
struct Ledger: Child {
    private static let name = "lives"
    private let tally: Tally

    init(_ tally: Tally) {
        self.tally = tally
    }

    var childSpec: ChildSpec {
        let starts = Trouble.Starts()
        return ChildSpec("ledger") { child in
            let store = child.daemon.store
            let found = try store.kept(Self.name) ?? [0]
            // Started again in the same process it finds its own entry.
            let lives = starts.next() == 1 ? Int(found[0]) + 1 : Int(found[0])
            tally.update { $0.lives = lives }
            try await tally.body {
                try store.keep([UInt8(clamping: lives)], as: Self.name)
                child.started()
                for _ in 0..<20 {
                    try await spend(.milliseconds(100))
                    try store.keep([UInt8(clamping: lives)], as: Self.name)
                    tally.update { $0.entries += 1 }
                }
                throw Trouble.Failure(description: "the page is full")
            }
        }
        .backoff(.constant(.milliseconds(50)))
    }
}
