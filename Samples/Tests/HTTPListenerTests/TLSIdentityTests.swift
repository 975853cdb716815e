import DaemonKit
import Foundation
import HTTPTesting
import Hummingbird
import Testing

@testable import HTTPListener

@Suite("The certificate of a server")
struct TLSIdentityTests {
    private let one = TestCertificate.one
    private let none = Credentials(directory: nil)

    @Test("files of which one cannot be read are an error that says which and why")
    func unreadable() throws {
        let directory = try TestCertificate.makeDirectory()
        for (path, reason, number) in [
            ("\(directory)/none", "cannot open \(directory)/none: No such file or directory (errno 2)", 2),
            (directory, "\(directory) is not a regular file", nil),
            ("/dev/null", "/dev/null is not a regular file", nil),
            ("", "\"\" is not the path of a certificate or a key", nil),
            ("/a\0b", "\"/a\\0b\" is not the path of a certificate or a key", nil),
        ] as [(String, String, CInt?)] {
            for (certificate, key) in [(path, one.key), (one.certificate, path)] {
                let identity = TLSIdentity(.files(certificate: certificate, key: key))
                let error = #expect(throws: TLSIdentityError.self) { try identity.load(from: none) }
                #expect(error?.code == .unreadable)
                #expect(error?.message == reason)
                #expect(error?.errorNumber == number)
            }
        }
    }

    @Test("a file that is larger than any certificate is not read to its end")
    func large() throws {
        let path = "\(try TestCertificate.makeDirectory())/large"
        try Data(repeating: 0x0A, count: 2 << 20).write(to: URL(fileURLWithPath: path))
        let identity = TLSIdentity(.files(certificate: path, key: one.key))
        let error = #expect(throws: TLSIdentityError.self) { try identity.load(from: none) }
        #expect(error?.message == "\(path) is larger than 1048576 bytes")
    }

    @Test("what is no PEM, or the one in the other's place, is an error that tells nothing of the key")
    func notPEM() throws {
        for (certificate, key, wrong) in [
            ("/etc/hostname", one.key, "/etc/hostname is no certificate in PEM"),
            (one.certificate, "/etc/hostname", "/etc/hostname is no private key in PEM"),
            (one.key, one.certificate, "\(one.key) is no certificate in PEM"),
            (one.certificate, one.certificate, "\(one.certificate) is no private key in PEM"),
        ] {
            let identity = TLSIdentity(.files(certificate: certificate, key: key))
            let error = #expect(throws: TLSIdentityError.self) { try identity.load(from: none) }
            #expect(error?.code == .notPEM)
            #expect(error?.message.hasPrefix(wrong) == true)
        }
    }

    @Test("a key that is not the certificate's is an error")
    func mismatch() throws {
        let identity = TLSIdentity(.files(certificate: one.certificate, key: TestCertificate.other.key))
        let error = #expect(throws: TLSIdentityError.self) { try identity.load(from: none) }
        #expect(error?.code == .mismatch)
        #expect(
            error?.message.hasPrefix("\(TestCertificate.other.key) is not the key of \(one.certificate)")
                == true
        )
    }

    @Test("credentials are read by name, and a missing one is named")
    func credentials() throws {
        let directory = try TestCertificate.makeDirectory()
        try one.copy(certificate: "\(directory)/chain", key: "\(directory)/key")
        let credentials = Credentials(directory: directory)
        try TLSIdentity(.credentials(certificate: "chain", key: "key")).load(from: credentials)
        let error = #expect(throws: SystemdError.self) {
            try TLSIdentity(.credentials(certificate: "chain", key: "kee")).load(from: credentials)
        }
        #expect(error?.code == .unknownCredential)
        let swapped = #expect(throws: TLSIdentityError.self) {
            try TLSIdentity(.credentials(certificate: "key", key: "chain")).load(from: credentials)
        }
        #expect(swapped?.message.hasPrefix("the credential key is no certificate in PEM") == true)
    }

    @Test("a connection for which no certificate was read is an error that says what is wrong in the tree")
    func notLoaded() {
        let identity = TLSIdentity(.files(certificate: one.certificate, key: one.key))
        let error = #expect(throws: TLSIdentityError.self) { _ = try identity.context }
        #expect(error?.code == .notLoaded)
    }
}
