/// Sent down a pipeline to have the connection closed at once, with no word to the client.
///
/// Where nobody knows it, nothing comes of it.
struct ConnectionCut: Sendable {}
