/// What others hold to reach a child, as the supervisor sees it.
protocol Referent: AnyObject, Sendable {
    /// A copy of the child is about to be started: what it publishes counts from now on.
    func begin(_ child: ChildContext)

    /// That copy has ended.
    func end(_ child: ChildContext)

    /// The child is gone for good.
    func retire(_ error: SupervisorError)
}
