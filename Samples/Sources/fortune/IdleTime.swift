/// After how many idle seconds the server ends, where it is to: the variable `IDLE_EXIT`.
struct IdleTime: Equatable {
    let duration: Duration

    /// Reads the variable.
    ///
    /// - Returns: Nil where it is not set, or empty: the server stays.
    /// - Throws: ``Problem`` where it is not a number of seconds, from 1 to a year.
    init?(_ variables: [String: String]) throws {
        guard let text = variables["IDLE_EXIT"], !text.isEmpty else { return nil }
        let isPlain = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, let seconds = Int(text), (1...31_536_000).contains(seconds) else {
            throw Problem(text: text)
        }
        duration = .seconds(seconds)
    }

    /// The variable is no time.
    struct Problem: Error, CustomStringConvertible {
        let text: String

        var description: String {
            "the environment variable IDLE_EXIT is \(text.debugDescription), it must be a number of seconds, 1 or more"
        }
    }
}
