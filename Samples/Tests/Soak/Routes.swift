import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// What hello answers, and what a run needs besides.
///
/// - `GET /` greets, `GET /slow` does after some milliseconds, `GET /large` sends 8 MiB.
/// - `GET /scarce` does what only two may do at once, and refuses the others (503).
/// - `GET /trim` gives back to the kernel what the allocator keeps for later.
/// - `GET /soak` tells what has happened in the tree.
func routes(_ tally: Tally, _ visitors: Visitors, _ settings: Settings) -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    let places = Places(2)
    let flaw = settings.flaw
    router.get("/") { _, _ in
        await tally.request {
            let text = "Hello World!"
            return flaw?.spoil(text) ?? text
        }
    }
    router.get("/slow") { _, _ in
        try await tally.request {
            try await spend(.milliseconds(50))
            return "Hello World, after a while!"
        }
    }
    router.get("/scarce") { _, _ in
        try await tally.request {
            guard places.take() else {
                return EditedResponse(status: .serviceUnavailable, response: "All places are taken.\n")
            }
            defer { places.giveBack() }
            try await spend(.milliseconds(20))
            return EditedResponse(response: "Hello, you two!")
        }
    }
    router.get("/large") { _, _ in
        let part = ByteBuffer(repeating: UInt8(ascii: "."), count: 64 << 10)
        return Response(
            status: .ok,
            body: ResponseBody(contentLength: 128 * part.readableBytes) { writer in
                try await tally.request {
                    for _ in 0..<128 { try await writer.write(part) }
                }
                try await writer.finish(nil)
            }
        )
    }
    router.get("/trim") { _, _ in
        #if canImport(Glibc)
            // In no header of the module Glibc.
            if let trim = dlsym(nil, "malloc_trim") {
                _ = unsafeBitCast(trim, to: (@convention(c) (_ pad: Int) -> CInt).self)(0)
            }
        #endif
        return "Trimmed."
    }
    router.get("/soak") { _, _ in
        let report = Report(counts: tally.now, visitors: await visitors.count)
        return String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
    }
    return router
}

/// What `GET /soak` tells.
private struct Report: Encodable {
    let counts: Tally.Counts
    let visitors: Int
}
