/// Which task it is, among those that exist at the same time.
struct TaskIdentity: Equatable {
    private let word: UInt

    /// Nil where there is no task, and where one cannot be told from others by a word: where it can, those whose words
    /// are equal are the same.
    ///
    /// - Parameter place: Where the task is. Nothing is known here of how one is copied, so that each copy would cost.
    init?(_ place: UnsafePointer<UnsafeCurrentTask?>) {
        guard MemoryLayout<UnsafeCurrentTask?>.size == MemoryLayout<UInt>.size else { return nil }
        word = UnsafeRawPointer(place).load(as: UInt.self)
        guard word != 0 else { return nil }
    }

    /// That of the calling task.
    static var current: TaskIdentity? {
        withUnsafeCurrentTask { task in withUnsafePointer(to: task) { TaskIdentity($0) } }
    }
}
