import HTTPListener

/// The command line: flags with one dash or two, their values after them or after `=`.
struct Options: Equatable {
    static let usage = "usage: lunchd [-key PATH -certificate PATH]"

    var key: String?
    var certificate: String?

    init() {}

    /// Reads the arguments that follow the program's name.
    ///
    /// - Throws: ``Problem``, which says which argument is wrong.
    init(_ arguments: some Sequence<String>) throws {
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            let flag = try Flag(argument)
            let value = flag.value ?? rest.next()
            guard let value, !value.isEmpty else { throw Problem("-\(flag.name) needs a path after it") }
            let path: WritableKeyPath<Options, String?> = flag.name == "key" ? \.key : \.certificate
            guard self[keyPath: path] == nil else { throw Problem("-\(flag.name) is there twice") }
            self[keyPath: path] = value
        }
    }

    /// What the server shows over TLS.
    ///
    /// - Throws: ``Problem`` where a flag is missing.
    var identity: TLSIdentity {
        get throws {
            guard let key, let certificate else {
                let missing = [key == nil ? "-key" : nil, certificate == nil ? "-certificate" : nil]
                throw Problem(
                    "to serve https takes a certificate; missing: "
                        + missing.compactMap(\.self).joined(separator: ", ")
                )
            }
            return TLSIdentity(.files(certificate: certificate, key: key))
        }
    }

    /// What is wrong with a command line.
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    private struct Flag {
        let name: Substring
        let value: String?

        init(_ argument: String) throws {
            let dashes = argument.prefix { $0 == "-" }.count
            let parts = argument.dropFirst(dashes).split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard (1...2).contains(dashes), let name = parts.first, name == "key" || name == "certificate"
            else {
                throw Problem("\(argument.debugDescription) is neither -key nor -certificate")
            }
            self.name = name
            self.value = parts.count == 2 ? String(parts[1]) : nil
        }
    }
}
