import Systemd

extension DaemonContext {
    /// Removes from the manager's store what no child has taken, and tells of all that nobody has taken.
    ///
    /// To be called once the tree has started.
    func removeUnclaimed() {
        let unclaimed = descriptors.unclaimed
        // Nobody new is to find them, however long the manager takes to let go of its own.
        for descriptor in unclaimed where KeptSockets.isKept(descriptor) { KeptSockets.end(descriptor) }
        let removed = store.removeUnclaimed { !$0.mayBeOfSocketUnit }
        for descriptor in unclaimed {
            if removed.contains(descriptor) {
                log.write(.warning, "\(descriptor) was kept, but no child of the tree takes it: removed")
            } else {
                log.write(.warning, "\(descriptor) was passed, but no child of the tree takes it")
            }
        }
    }
}

extension PassedDescriptor {
    /// Whether a socket unit may have passed it, so that a child which is added later could serve it.
    fileprivate var mayBeOfSocketUnit: Bool {
        switch kind {
        case .streamListener: !KeptSockets.isKept(self)
        case .seqpacketListener, .datagram, .fifo, .messageQueue: true
        case .connection, .file, .directory, .other, .notOpen: false
        }
    }
}
