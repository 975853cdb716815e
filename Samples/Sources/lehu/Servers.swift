import HTTPListener
import Hummingbird
import HummingbirdCore

/// One page.
var router: Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.get("/") { _, _ in
        "Hello from lehu!\n"
    }
    return router
}
