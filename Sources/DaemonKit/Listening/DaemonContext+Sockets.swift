import Systemd

extension DaemonContext {
    /// Duplicates of the sockets that were passed to a listener: those of its name, else the only one of the kind.
    ///
    /// - Throws: `SystemdError` where one of its name is of another kind, or cannot be duplicated.
    func passedSockets(for name: String, as kind: DescriptorKind) throws -> [CInt] {
        let passed = try descriptors.duplicates(named: name, as: kind)
        guard passed.isEmpty, let sole = soleSocket(for: name, as: kind) else { return passed }
        return [try descriptors.duplicate(of: sole, as: kind)]
    }

    /// The one socket of the kind that was passed, where no listener has its name and this is the tree's first.
    private func soleSocket(for name: String, as kind: DescriptorKind) -> PassedDescriptor? {
        let passed = descriptors.all.filter { $0.kind == kind && !KeptSockets.isKept($0) }
        guard let sole = passed.first, passed.count == 1,
            listeners.isFirst(name, for: kind),
            !listeners.isDeclared(sole.name)
        else { return nil }
        return sole
    }
}

extension [CInt] {
    /// Makes each descriptor an object's that owns it; where one cannot be, all are closed.
    func adopt<Socket>(_ make: (CInt) throws -> Socket) throws -> [Socket] {
        try enumerated().map { index, descriptor in
            do {
                return try make(descriptor)
            } catch {
                // Those before it are closed as the list is let go of; these nobody owns yet.
                for rest in self[index...] { closeDescriptor(rest) }
                throw error
            }
        }
    }
}
