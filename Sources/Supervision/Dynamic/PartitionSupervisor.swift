/// Several copies of one child, each responsible for a part of the keys.
///
/// For a child that would be a bottleneck alone: a cache, a writer, a ``DynamicSupervisor`` under which very many
/// children are started.
///
/// ```swift
/// let rooms = PartitionSupervisor("rooms", partitions: 8) { _ in
///     DynamicSupervisor("rooms") { (child, name: String) in try await chat(in: name, child) }
/// }
///
/// try await rooms[key: "lobby"].startChild("lobby")
/// ```
///
/// One key always leads to the same copy, for as long as the process lives; in the next one it may be another.
/// In the tree it is a supervisor with ``Strategy/oneForOne`` whose children are called by their numbers, from 0.
///
/// - Note: Source: Elixir `PartitionSupervisor`.
public final class PartitionSupervisor<Partition: Child>: Child {
    /// The copies, in the order of their numbers.
    public let partitions: [Partition]

    private let supervisor: Supervisor
    private let problems: [String]

    /// Describes the copies.
    ///
    /// - Parameters:
    ///   - id: The name of the whole among its siblings.
    ///   - partitions: How many copies there are; 1 or more. As many as the machine has processors is a good
    ///     number.
    ///   - intensity: How many restarts, of all copies together, are put up with; three within five seconds by default.
    ///   - partition: Makes the copy of that number, from 0 on.
    /// - Throws: What `partition` throws.
    public init(
        _ id: String,
        partitions: Int,
        intensity: RestartIntensity = .default,
        partition: (Int) throws -> Partition
    ) rethrows {
        problems = partitions < 1 ? ["has \(partitions) partitions: there must be 1 or more"] : []
        // Whatever is asked of it before it is refused must find a copy.
        let copies = try (0..<max(partitions, 1)).map(partition)
        self.partitions = copies
        supervisor = Supervisor(id, intensity: intensity) {
            for (number, copy) in copies.enumerated() { copy.id("\(number)") }
        }
    }

    /// The whole as a child: started when all copies have started.
    public var childSpec: ChildSpec {
        var spec = supervisor.childSpec
        spec.check = { [problems] _ in problems }
        return spec
    }

    /// The copy that is responsible for a key.
    ///
    /// - Parameter key: The key.
    /// - Returns: The copy.
    public subscript(key key: some Hashable) -> Partition {
        partitions[Int(UInt(bitPattern: key.hashValue) % UInt(partitions.count))]
    }
}
