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

    @Test("an accent after the @ makes the address no shorter")
    func accent() throws {
        let name = "@\u{301}" + String(repeating: "a", count: 105)
        #expect(try NotifyAddress(name).socketPath == [0] + Array(name.utf8.dropFirst()))
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
        "a vsock address is its type, its context and its port",
        arguments: [
            ("vsock:2:1234", .any, 2, 1234),
            ("vsock-stream:4294967294:0", .stream, 4_294_967_294, 0),
            ("vsock-dgram:0:4294967294", .datagram, 0, 4_294_967_294),
            ("vsock-seqpacket:3:9", .seqpacket, 3, 9),
            ("vsock:hypervisor:1", .any, 0, 1),
            ("vsock:local:1", .any, 1, 1),
            ("vsock:host:1", .any, 2, 1),
        ] as [(String, VsockAddress.Kind, UInt32, UInt32)]
    )
    func vsock(text: String, kind: VsockAddress.Kind, context: UInt32, port: UInt32) throws {
        let address = try NotifyAddress(text)
        #expect(address.description == text)
        #expect(address.socketPath == [])
        let vsock = try #require(address.vsock)
        #expect(vsock.kind == kind)
        #expect(vsock.context == context)
        #expect(vsock.port == port)
    }

    @Test(
        "a vsock address without a context, with any context or with anything else is refused",
        arguments: [
            "vsock:", "vsock::", "vsock::1", "vsock:2", "vsock:2:", "vsock:2:1:", "vsock:2:1:1", "vsock:x:1",
            "vsock:2:x", "vsock:-1:1", "vsock:2:-1", "vsock:+2:1", "vsock:2:+1", "vsock: 2:1", "vsock:2:1 ",
            "vsock:2:1\n", "vsock:4294967295:1", "vsock:2:4294967295", "vsock:4294967296:1", "vsock:0x2:1",
            "vsock:٢:1", "vsock-raw:2:1", "vsock-:2:1", "vsock", "VSOCK:2:1", "vsock-stream:", "vsock:any:1",
            "vsock:2:\(String(repeating: "9", count: 10_000))",
        ]
    )
    func invalidVsock(text: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyAddress(text) }
        #expect(error?.code == .invalidAddress)
        #expect(error.map { $0.message.count < 300 && !$0.message.contains("\n") } == true)
    }

    @Test("random text is an address or an error")
    func random() {
        var random = RandomText(seed: 1)
        var addresses = 0
        for _ in 0..<1_000 {
            let text = random.text(after: [
                "/", "@", "vsock:", "vsock-stream:", "vsock-dgram:", "vsock:2:",
            ])
            guard let address = try? NotifyAddress(text) else { continue }
            addresses += 1
            #expect(address.vsock != nil || (2...108).contains(address.socketPath.count))
        }
        #expect(addresses > 0)
    }
}
