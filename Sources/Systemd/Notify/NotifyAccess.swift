/// Whose messages the manager takes: the values of `NOTIFYACCESS`, and of `NotifyAccess=` in the unit.
public enum NotifyAccess: String, Sendable, Hashable, CaseIterable {
    /// Nobody's.
    case none
    /// The main process's alone.
    case main
    /// Those of the main process and of the processes that `ExecStartPre=` and its like start.
    case exec
    /// Those of every process of the unit.
    case all
}
