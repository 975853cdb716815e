/// Reads variables one by one and keeps the problems found on the way.
struct EnvironmentReader {
    let variables: [String: String]
    private(set) var problems: [EnvironmentProblem] = []

    init(_ variables: [String: String]) {
        self.variables = variables
    }

    enum Reading: Equatable {
        case absent
        case malformed
        case number(UInt64)
    }

    /// A variable's text; an empty one counts as absent, for emptying is how a shell takes a variable back.
    func text(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    /// A variable that must be decimal digits alone: no sign, no white space, within `range`.
    mutating func number(_ name: String, in range: ClosedRange<UInt64>, meaning: String) -> Reading {
        guard let value = text(name) else { return .absent }
        let remedy = "\(meaning): decimal digits alone, \(range.lowerBound) to \(range.upperBound)"
        guard Self.isDigits(value) else {
            report(name, "is not a plain number", remedy)
            return .malformed
        }
        // Digits alone fail only by being too many.
        guard let number = UInt64(value), range.contains(number) else {
            report(name, "is out of range", remedy)
            return .malformed
        }
        return .number(number)
    }

    /// A variable that must be an absolute path.
    mutating func absolutePath(_ name: String) -> String? {
        guard let value = text(name) else { return nil }
        guard Self.isAbsolutePath(value) else {
            report(name, "is not an absolute path", "a path that begins with /")
            return nil
        }
        return value
    }

    /// Whether a variable that names a process names this one; absent means any process.
    mutating func namesProcess(_ name: String, pid: Int32) -> Bool? {
        switch number(name, in: 1...UInt64(Int32.max), meaning: "a process id") {
        case .absent: nil
        case .malformed: false
        case .number(let number): number == UInt64(pid)
        }
    }

    /// Decimal digits alone, as a number; `nil` for anything else and for one that is too large.
    static func plainNumber(_ text: Substring) -> UInt64? {
        isDigits(text) ? UInt64(text) : nil
    }

    /// Real variables have no NUL; in one from elsewhere it would end the path where nobody sees it.
    static func isAbsolutePath(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "/") && !text.utf8.contains(0)
    }

    /// The parts between colons; by bytes, for a character may be a colon and an accent.
    static func parts(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
    }

    private static func isDigits(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    mutating func report(_ name: String, _ reason: String, _ remedy: String) {
        problems.append(
            EnvironmentProblem(
                variable: name,
                value: variables[name] ?? "",
                reason: reason,
                remedy: remedy
            )
        )
    }
}
