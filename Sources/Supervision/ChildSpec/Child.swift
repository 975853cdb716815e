/// Something that can stand in a supervision tree.
///
/// Everything a ``Supervisor`` is given is a `Child`: a ``ChildSpec`` written in place, a nested supervisor,
/// or a type of your own that knows how it wants to be supervised. Conform by describing yourself:
///
/// ```swift
/// struct Sweeper: Child {
///     var interval: Duration = .seconds(60)
///
///     var childSpec: ChildSpec {
///         ChildSpec("sweeper") { child in
///             child.started()
///             while true {
///                 // On the supervisor's clock, which a test can move.
///                 try await child.clock.sleep(for: interval)
///                 try await sweep()
///             }
///         }
///     }
/// }
/// ```
///
/// - Note: Source: the `child_spec/1` convention of Elixir's `Supervisor`.
public protocol Child: Sendable {
    /// How to start this child, when to start it again, and how to stop it.
    ///
    /// Read once, when the supervisor is built.
    var childSpec: ChildSpec { get }
}
