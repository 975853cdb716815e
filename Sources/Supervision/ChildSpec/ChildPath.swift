/// Where a child stands in its tree: the ids from the top down.
///
/// The path of the supervisor at the top is empty; its child `web` is at `web`, and that one's child `http` at
/// `web/http`.
public struct ChildPath: Sendable, Hashable, CustomStringConvertible {
    /// The ids, outermost first.
    public var ids: [String]

    /// Makes a path from ids, outermost first; empty for the top of the tree.
    public init(_ ids: [String] = []) {
        self.ids = ids
    }

    /// The path of a child of what stands here.
    public func appending(_ id: String) -> ChildPath {
        ChildPath(ids + [id])
    }

    /// The ids, joined by slashes.
    public var description: String {
        ids.joined(separator: "/")
    }
}

extension ChildPath: ExpressibleByArrayLiteral {
    /// Makes a path from ids, outermost first.
    public init(arrayLiteral ids: String...) {
        self.init(ids)
    }
}

extension ChildPath: ExpressibleByStringLiteral {
    /// Makes a path from a literal such as `"web/http"`, as ``description`` shows it; empty for the top.
    ///
    /// An id with a slash in it wants a list of ids.
    public init(stringLiteral text: String) {
        self.init(text.split(separator: "/").map(String.init))
    }
}
