/// Builds the ordered list of a supervisor's children.
///
/// Conditions, loops, arrays and nested supervisors may stand in it. The order in which children are written
/// is the order in which they start; they stop in reverse.
@resultBuilder
public enum ChildBuilder {
    /// Takes one child.
    public static func buildExpression(_ child: some Child) -> [ChildSpec] {
        [child.childSpec]
    }

    /// Takes one child whose type is not known statically.
    public static func buildExpression(_ child: any Child) -> [ChildSpec] {
        [child.childSpec]
    }

    /// Takes a list of children, in its order.
    public static func buildExpression(_ children: [any Child]) -> [ChildSpec] {
        children.map(\.childSpec)
    }

    /// Takes a list of children of one type, in its order.
    public static func buildExpression(_ children: [some Child]) -> [ChildSpec] {
        children.map(\.childSpec)
    }

    /// Joins the children of a block.
    public static func buildBlock(_ children: [ChildSpec]...) -> [ChildSpec] {
        children.flatMap(\.self)
    }

    /// Takes the children of an `if` without `else`.
    public static func buildOptional(_ children: [ChildSpec]?) -> [ChildSpec] {
        children ?? []
    }

    /// Takes the children of the first branch.
    public static func buildEither(first children: [ChildSpec]) -> [ChildSpec] {
        children
    }

    /// Takes the children of the other branch.
    public static func buildEither(second children: [ChildSpec]) -> [ChildSpec] {
        children
    }

    /// Takes the children of a `for` loop.
    public static func buildArray(_ children: [[ChildSpec]]) -> [ChildSpec] {
        children.flatMap(\.self)
    }

    /// Takes the children of an `if #available`.
    public static func buildLimitedAvailability(_ children: [ChildSpec]) -> [ChildSpec] {
        children
    }
}
