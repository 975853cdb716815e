import DaemonKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A quote for whoever asks (RFC 865), in two ways.
///
/// `fortune` prints one and ends: it knows nothing of sockets, so that the manager can give it a connection as its
/// standard output, a process for each. `fortune serve` is a daemon that answers them all.
@main
enum Fortune {
    static func main() {
        switch Array(CommandLine.arguments.dropFirst()) {
        case []: exit(printQuote() ? EXIT_SUCCESS : EXIT_FAILURE)
        case ["serve"]: Server().launch()
        default:
            complain(
                "usage: fortune          prints a quote\n       fortune serve    serves quotes by TCP and UDP"
            )
            exit(EX_USAGE)
        }
    }

    private static func printQuote() -> Bool {
        guard let number = StandardStream.output.write(Quotes.random()) else { return true }
        complain("fortune: cannot write the quote: errno \(number)")
        return false
    }

    private static func complain(_ text: String) {
        _ = StandardStream.errors.write("\(text)\n")
    }
}
