/// What others hold to reach a child, as the supervisor sees it.
protocol Referent: AnyObject, Sendable {
    /// Whether a copy of some child runs that has it.
    var isInUse: Bool { get }

    /// The child is going to be started: that it was gone is over.
    func expect()

    /// A copy of the child is about to be started: what it publishes counts from now on.
    func begin(_ child: ChildContext)

    /// That copy has ended.
    func end(_ child: ChildContext)

    /// The child is gone for good.
    func retire(_ error: SupervisorError)
}
