/// What a supervisor of any kind is to the one above it.
protocol NestedSupervisor: AnyObject, Sendable {
    /// What kind it is.
    var kind: TreeSnapshot.Kind { get }

    /// The children it was made with.
    var declaredChildren: [ChildSpec] { get }

    /// The longest that a child below it may take to stop; nil where one may take as long as it likes.
    var longestStop: Duration? { get }

    /// How to reach it while it runs.
    var port: ControlPort { get }

    /// Where its events are read.
    var eventHub: EventHub { get }

    /// What is wrong with how it was described, its children aside, as ends of a sentence about it.
    var problems: [String] { get }
}

extension NestedSupervisor {
    /// Lets everyone know who holds a reference to something below here that it will not come back.
    func retireReferences(at path: ChildPath, because error: (any Error)?) {
        for child in declaredChildren { child.retireReferences(in: path, because: error) }
    }

    /// Lets everyone wait again who holds a reference to something below here.
    func expectReferences() {
        for child in declaredChildren { child.expectReferences() }
    }

    /// Ends the events of it and of those below: it is not going to run again.
    func finishEvents() {
        eventHub.finish()
        for child in declaredChildren { child.nested?.finishEvents() }
    }
}

extension ChildSpec {
    /// Whether the supervisor that it stands for runs, or another child publishes by its reference.
    var isInUse: Bool { nested?.port.isOpen ?? referent?.isInUse ?? false }

    /// Whether anybody may hold a reference to this child, or to something below it.
    var hasReferences: Bool { referent != nil || nested != nil }

    /// Lets everyone wait again who holds a reference to this child, or to something below it: it is to be started.
    func expectReferences() {
        referent?.expect()
        nested?.expectReferences()
    }

    /// Lets everyone know who holds a reference to this child, or to something below it, that it is gone for good.
    func retireReferences(in parent: ChildPath, because error: (any Error)?) {
        guard hasReferences else { return }
        let path = parent.appending(id)
        referent?.retire(SupervisorError(.childGone, path: path, underlying: error))
        nested?.retireReferences(at: path, because: error)
    }
}
