/// One child of a ``DynamicSupervisor``, through all of its restarts.
public struct DynamicChild: Sendable, Hashable {
    /// Its number: rising in the order in which children were started, from 0 in each run of the supervisor.
    public let number: Int

    /// Which run of the supervisor it belongs to.
    let run: Int
}
