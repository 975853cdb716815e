import HTTPTypes
import Hummingbird
import HummingbirdCore

/// `GET /` greets; `GET /slow/{seconds}` answers after that long, to watch a drain by.
var router: Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.get("/") { _, _ in
        "Hello World!"
    }
    router.get("/slow/{seconds}") { _, context in
        let text = context.parameters.get("seconds") ?? ""
        guard let pause = Pause(text) else {
            return EditedResponse(status: .badRequest, response: Pause.rule(against: text))
        }
        // Real time, because the client asked for it. A cut connection cancels its route, and the sleep with it.
        try await Task.sleep(for: pause.duration)
        return EditedResponse(response: "Hello World, after \(text) s!")
    }
    return router
}
