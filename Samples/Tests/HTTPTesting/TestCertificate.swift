import Foundation
public import NIOSSL

/// A certificate for `localhost` that its own key has signed, and the key: files, made by `openssl`, valid for two
/// days.
public struct TestCertificate: Sendable {
    /// Made once for all tests of the process.
    public static let one = make("one")

    /// Another.
    public static let other = make("other")

    /// The path of the certificate.
    public let certificate: String

    /// The path of the key.
    public let key: String

    /// The certificate.
    public var read: NIOSSLCertificate {
        get throws { try NIOSSLCertificate.fromPEMFile(certificate)[0] }
    }

    /// A directory of its own, which ends with the machine's temporary files.
    public static func makeDirectory() throws -> String {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory.path
    }

    /// Copies both over others, as a renewal does.
    ///
    /// - Parameters:
    ///   - certificate: The path for the certificate.
    ///   - key: The path for the key.
    /// - Throws: What kept it from being read or written.
    public func copy(certificate: String, key: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: self.certificate))
            .write(to: URL(fileURLWithPath: certificate))
        try Data(contentsOf: URL(fileURLWithPath: self.key)).write(to: URL(fileURLWithPath: key))
    }

    private static func make(_ name: String) -> TestCertificate {
        do {
            let directory = try makeDirectory()
            let made = TestCertificate(
                certificate: "\(directory)/\(name).crt",
                key: "\(directory)/\(name).key"
            )
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            openssl.arguments =
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
                + ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
                + ["-keyout", made.key, "-out", made.certificate]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            guard openssl.terminationStatus == 0 else { fatalError("openssl req has failed") }
            return made
        } catch {
            fatalError("no certificate for the tests: \(error)")
        }
    }
}
