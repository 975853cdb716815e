public import NIOCore

/// A response of HTTP/1 with a Content-Length.
public struct Reply: Sendable {
    /// The first line.
    public let statusLine: String

    /// The fields, their names in lower case.
    public let fields: [String: String]

    /// The body.
    public let body: String

    /// The field `Connection`.
    public var connection: String? { fields["connection"] }

    /// Takes a response off the beginning of some bytes; nil where it is not there whole yet.
    ///
    /// - Parameter buffer: What has come so far.
    public init?(parsing buffer: inout ByteBuffer) {
        let bytes = buffer.readableBytesView
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let statusLine = lines.removeFirst()
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = Int(fields["content-length"] ?? "0") ?? 0
        guard bytes[end.upperBound...].count >= length else { return nil }
        self.statusLine = String(statusLine)
        self.fields = fields
        self.body = String(decoding: bytes[end.upperBound...].prefix(length), as: UTF8.self)
        buffer.moveReaderIndex(forwardBy: bytes.distance(from: bytes.startIndex, to: end.upperBound) + length)
    }
}
