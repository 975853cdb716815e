import Hummingbird

/// The page of the sample hello as Hummingbird serves it by itself, on a port of its own: what the kit is compared with.
@main
struct Stock {
    static func main() async throws {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("/") { _, _ in "Hello World!" }
        let port = Environment().get("PORT", as: Int.self) ?? 4001
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil)
        )
        try await application.runService()
    }
}
