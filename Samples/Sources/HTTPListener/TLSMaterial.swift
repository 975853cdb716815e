import DaemonKit
import NIOSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of a certificate or a key, and where they are from.
struct TLSMaterial: CustomStringConvertible {
    /// No certificate is nearly as large: what is, is some other file.
    private static let largestSize = 1 << 20

    let description: String
    private let bytes: [UInt8]

    init(_ place: TLSIdentity.Source.Place, _ credentials: Credentials) throws {
        switch place {
        case .credential(let name):
            description = "the credential \(name)"
            bytes = try credentials.data(named: name)
        case .file(let path):
            description = path
            bytes = try Self.read(path)
        }
    }

    func certificates() throws -> [NIOSSLCertificate] {
        let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes)
        guard let certificates, !certificates.isEmpty else {
            throw TLSIdentityError(
                .notPEM,
                "\(self) is no certificate in PEM: it has to begin with \"-----BEGIN CERTIFICATE-----\""
            )
        }
        return certificates
    }

    func privateKey() throws -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSIdentityError(
                .notPEM,
                "\(self) is no private key in PEM without a passphrase: "
                    + "it has to begin with \"-----BEGIN PRIVATE KEY-----\""
            )
        }
    }

    private static func read(_ path: String) throws(TLSIdentityError) -> [UInt8] {
        // A NUL would end the path where nobody sees it.
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw TLSIdentityError(
                .unreadable,
                "\(path.debugDescription) is not the path of a certificate or a key"
            )
        }
        // O_NONBLOCK: to open a FIFO would wait for a writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .system("cannot open \(path)", errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TLSIdentityError(.unreadable, "\(path) is not a regular file")
        }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = readDescriptor(file, &block, block.count)
            if count == 0 { return content }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .system("cannot read \(path)", errno)
            }
            content += block[..<count]
            guard content.count <= largestSize else {
                throw TLSIdentityError(.unreadable, "\(path) is larger than \(largestSize) bytes")
            }
        }
    }
}

extension TLSIdentityError {
    fileprivate static func system(_ message: String, _ number: CInt) -> TLSIdentityError {
        var text = [CChar](repeating: 0, count: 256)
        // Thread-safe; which of its two kinds the system has does not matter, for it is the buffer that is read.
        let reason =
            strerror_r(number, &text, text.count) == 0
            ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            : "unknown"
        return TLSIdentityError(.unreadable, "\(message): \(reason) (errno \(number))", errno: number)
    }
}

// Inside a type with a reading of its own the system's is out of reach.
private func readDescriptor(_ descriptor: CInt, _ bytes: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &bytes, count)
}
