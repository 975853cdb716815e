/// What a test does to the children of a tree, without their knowing.
package protocol Staging: Sendable {
    /// Runs the body of a child: before, around or instead of it may be something else.
    ///
    /// - Parameters:
    ///   - context: The child's context.
    ///   - body: The body, the report of its start included where it counts as started at once.
    /// - Throws: What the child is to have thrown.
    func perform(_ context: ChildContext, _ body: @escaping @Sendable () async throws -> Void) async throws
}
