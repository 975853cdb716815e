// What the rules of a whole tree promise, as far as it is declared.

extension Supervisor {
    /// The longest that a child in the tree may take to stop; nil where one may take as long as it likes.
    ///
    /// By the rules of the children that were declared: a child that was added to a running supervisor is not known
    /// here, those of a dynamic supervisor are all alike.
    package var longestStop: Duration? {
        var longest = Duration.zero
        for child in children {
            guard let limit = child.longestStop else { return nil }
            longest = max(longest, limit)
        }
        return longest
    }

    /// The declared children that nobody has told to stop yet, while the tree is being stopped.
    ///
    /// - Parameter isStopping: Whether a child is being stopped.
    /// - Returns: The children, in the order of the tree; of supervisors, those below them, unless they have none.
    package func untold(isStopping: (ChildPath) -> Bool) -> [ChildPath] {
        untold(at: [], isStopping)
    }

    private func untold(at path: ChildPath, _ isStopping: (ChildPath) -> Bool) -> [ChildPath] {
        // The last one is stopped first: those above it have yet to be told.
        let end = children.lastIndex { isStopping(path.appending($0.id)) } ?? children.endIndex
        var untold = children[..<end].flatMap { child -> [ChildPath] in
            let path = path.appending(child.id)
            guard let nested = child.nested as? Supervisor, !nested.children.isEmpty else { return [path] }
            return nested.untold(at: path) { _ in false }
        }
        if end < children.endIndex, let nested = children[end].nested as? Supervisor {
            untold += nested.untold(at: path.appending(children[end].id), isStopping)
        }
        return untold
    }
}

extension ChildSpec {
    /// The longest that this child, or anything below it, may take to stop; nil where there is no limit.
    fileprivate var longestStop: Duration? {
        guard let nested else { return shutdown.whole }
        guard let own = shutdown.whole else { return nested.longestStop }
        // What is stopped as a part of something else has no longer than that.
        return nested.longestStop.map { min($0, own) } ?? own
    }
}

extension Shutdown {
    /// How long a stop may take in all; nil where there is no limit.
    var whole: Duration? {
        limit.map { asks ? $0 + Self.cancellationGrace : $0 }
    }
}
