import NIOHTTP1

/// Why a request never reaches a route.
struct Refusal: Equatable {
    let status: HTTPResponseStatus
    let text: String

    /// RFC 9112, section 3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0.
    static func hosts(_ count: Int) -> Refusal {
        let found = count == 0 ? "it has none" : "it has \(count)"
        return Refusal(status: .badRequest, text: "A request needs one Host field; \(found).\n")
    }

    static func parserError(_ error: HTTPParserError) -> Refusal {
        if error == .headerOverflow {
            return Refusal(
                status: .requestHeaderFieldsTooLarge,
                text: "The request's head is larger than this server reads.\n"
            )
        }
        return Refusal(status: .badRequest, text: "This is not an HTTP request.\n")
    }
}
