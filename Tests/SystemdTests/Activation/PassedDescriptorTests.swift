import Glibc
import Systemd
import Testing

@Suite("PassedDescriptor")
struct PassedDescriptorTests {
    private func expect(
        _ descriptor: CInt,
        _ kind: DescriptorKind,
        _ family: SocketFamily?,
        address: (String?) -> Bool = { $0 == nil },
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let passed = PassedDescriptor(number: descriptor, name: "a")
        #expect(passed.kind == kind, sourceLocation: sourceLocation)
        #expect(passed.family == family, sourceLocation: sourceLocation)
        #expect(
            address(passed.localAddressDescription),
            "\(passed.localAddressDescription ?? "none")",
            sourceLocation: sourceLocation
        )
        close(descriptor)
    }

    @Test("an IPv6 stream listener")
    func inet6() throws {
        expect(try TestSocket.inet6Listener(), .streamListener, .inet6) { $0?.hasPrefix("[::]:") == true }
    }

    @Test("an IPv4 datagram socket")
    func datagram() throws {
        expect(try TestSocket.inetDatagram(), .datagram, .inet) { $0?.hasPrefix("127.0.0.1:") == true }
    }

    @Test("Unix listeners with a path, stream and seqpacket")
    func unix() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/a.sock"
            expect(try TestSocket.unixListener(at: Array(path.utf8)), .streamListener, .unix) { $0 == path }
            let other = "\(directory)/b.sock"
            expect(
                try TestSocket.unixListener(at: Array(other.utf8), type: SOCK_SEQPACKET),
                .seqpacketListener,
                .unix
            ) { $0 == other }
        }
    }

    @Test("an abstract Unix listener is named with an @")
    func abstract() throws {
        let name = "systemd-tests-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        expect(try TestSocket.unixListener(at: [0] + Array(name.utf8)), .streamListener, .unix) {
            $0 == "@\(name)"
        }
    }

    @Test("the longest Unix path is told whole")
    func longest() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/" + String(repeating: "x", count: 107 - directory.utf8.count)
            try #require(path.utf8.count == 108)
            expect(try TestSocket.unixListener(at: Array(path.utf8)), .streamListener, .unix) { $0 == path }
        }
    }

    @Test("both ends of a pair are connections", arguments: [SOCK_STREAM.rawValue, SOCK_SEQPACKET.rawValue])
    func pair(type: UInt32) throws {
        let (one, other) = try TestSocket.pair(__socket_type(type))
        defer { close(other) }
        expect(one, .connection, .unix)
    }

    @Test("a stream socket that neither listens nor is connected is something else")
    func idle() {
        expect(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0), .other, .unix)
    }

    @Test("a netlink socket is a datagram socket")
    func netlink() throws {
        let descriptor = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), 0)
        try #require(descriptor >= 0)
        expect(descriptor, .datagram, .netlink)
    }

    @Test("what is not a socket has no family")
    func files() throws {
        try withTemporaryDirectory { directory in
            try #require(mkfifo("\(directory)/fifo", 0o600) == 0)
            expect(open("\(directory)/fifo", O_RDONLY | O_NONBLOCK), .fifo, nil)
            expect(open("\(directory)/file", O_CREAT | O_RDWR, 0o600), .file, nil)
            expect(open(directory, O_RDONLY), .directory, nil)
            expect(open("/dev/null", O_RDONLY), .other, nil)
        }
    }

    @Test("a number that is not open says so")
    func notOpen() {
        expect(-1, .notOpen, nil)
        expect(.max, .notOpen, nil)
    }

    @Test("a description names number, name, kind and address")
    func description() throws {
        let descriptor = try TestSocket.inetDatagram()
        defer { close(descriptor) }
        let passed = PassedDescriptor(number: descriptor, name: "quic\n")
        let address = try #require(passed.localAddressDescription)
        #expect(passed.description == #"descriptor \#(descriptor) "quic\n" (datagram, \#(address))"#)
    }
}
