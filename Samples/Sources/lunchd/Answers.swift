import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Sends everybody to the same place over TLS.
let redirect = CallbackResponder<BasicRequestContext> { request, _ in
    guard let location = Location.of(host: request.head.authority, target: request.head.path) else {
        return Response(status: .badRequest)
    }
    return Response(status: .movedPermanently, headers: [.location: location.text])
}

/// What there is for lunch: somebody chose at random.
let menu = CallbackResponder<BasicRequestContext> { request, _ in
    let dish = ["Sandwich", "Soup", "Salad", "Burger", "Sushi"].randomElement() ?? "Soup"
    let page = "<!DOCTYPE html>\n<title>Lunch</title>\n<h1>\(dish)</h1>\n"
    let response = Response(
        status: .ok,
        headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
        body: .init(byteBuffer: .init(string: page))
    )
    return request.method == .head ? response.createHeadResponse() : response
}
