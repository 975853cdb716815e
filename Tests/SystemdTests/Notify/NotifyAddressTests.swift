import Testing

@testable import Systemd

@Suite("NotifyAddress")
struct NotifyAddressTests {
    @Test("a path is its bytes; an abstract name begins with a NUL and has no other")
    func bytes() throws {
        #expect(try NotifyAddress("/run/notify").socketPath == Array("/run/notify".utf8))
        #expect(try NotifyAddress("@a/b").socketPath == [0] + Array("a/b".utf8))
    }

    @Test("the longest address is taken, and one byte more is refused, not cut")
    func longest() throws {
        let path = "/" + String(repeating: "a", count: 106)
        #expect(try NotifyAddress(path).socketPath.count == 107)
        let name = "@" + String(repeating: "a", count: 107)
        #expect(try NotifyAddress(name).socketPath.count == 108)
        for text in [path, name] {
            let error = #expect(throws: SystemdError.self) { try NotifyAddress(text + "a") }
            #expect(error?.code == .invalidAddress)
            #expect(error?.message.contains("\(text.utf8.count + 1) bytes") == true)
        }
    }

    @Test(
        "what is no address is refused",
        arguments: ["", "/", "@", "notify", "./notify", " /notify", "/a\0b", "unix:/run/notify"]
    )
    func invalid(text: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyAddress(text) }
        #expect(error?.code == .invalidAddress)
    }

    @Test(
        "vsock addresses say that they are not supported",
        arguments: ["vsock:2:1234", "vsock-stream:2:1234", "vsock-dgram:2:1", "vsock-seqpacket:2:1"]
    )
    func vsock(text: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyAddress(text) }
        #expect(error?.code == .unsupportedAddress)
    }
}
