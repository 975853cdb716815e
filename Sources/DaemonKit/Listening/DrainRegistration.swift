/// What ``ServingSession/onDrain(_:)`` gives, to take the registration back.
///
/// It holds nothing but a number: letting go of it does not unregister. Cancel it when what it would have told
/// about the drain has ended, or the session keeps the closure for as long as it lives.
public struct DrainRegistration: Sendable {
    let session: ServingSession
    let id: UInt64

    /// Unregisters.
    ///
    /// The closure is not called after this, unless it is being called already. More than once does nothing.
    public func cancel() {
        session.unregister(id)
    }
}
