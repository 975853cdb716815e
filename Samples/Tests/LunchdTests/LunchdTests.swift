import Glibc
import HTTPTesting
import SupervisionTesting
import Testing

@Suite("lunchd", .timeLimit(.minutes(1)))
struct LunchdTests {
    private var flags: [String] {
        ["-key", TestCertificate.one.key, "-certificate", TestCertificate.one.certificate]
    }

    private func redirection(_ port: Int, _ request: String) async throws -> Reply? {
        var reply: Reply?
        try await Client.connect(to: port) { client in
            try await client.send(request)
            reply = try await client.response()
        }
        return reply
    }

    private func dish(_ port: Int, _ path: String = "/") async throws -> String? {
        var dish: String?
        try await FrameClient.connect(to: port) { client in
            try await client.send(.request(1, path))
            let response = try #require(try await client.response())
            #expect(response.fields[":status"] == "200")
            #expect(response.fields["content-type"] == "text/html; charset=utf-8")
            dish = response.body.split(separator: "<h1>").last?.split(separator: "</h1>").first.map(
                String.init
            )
        }
        return dish
    }

    @Test("L-01 L-02: every socket of a name is served, others are ignored, and the log says what was passed")
    func sockets() async throws {
        let sockets = try ["http", "https", "gopher", "https", "http"].map { try PassedSocket($0) }
        let lunchd = try SampleProcess("lunchd", arguments: flags, sockets: sockets)
        _ = try await lunchd.manager.next(with: "READY=1")
        for socket in sockets where socket.name == "http" {
            let reply = try await redirection(socket.port, "GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            #expect(reply?.fields["location"] == "https://here/")
        }
        for socket in sockets where socket.name == "https" { #expect(try await dish(socket.port) != nil) }
        #expect(await lunchd.stop() == 0)
        let lines = await lunchd.lines(until: "LISTEN_FDS")
        #expect(lines.first == "LISTEN_FDS=\"5\" LISTEN_FDNAMES=\"http:https:gopher:https:http\"")
    }

    @Test("L-03 L-08: http sends everybody to https, host and target as they were, and needs no certificate")
    func redirect() async throws {
        let socket = try PassedSocket("http")
        let lunchd = try SampleProcess("lunchd", sockets: [socket])
        _ = try await lunchd.manager.next(with: "READY=1")
        for (request, location) in [
            (
                "GET /a/b?c=d%20e HTTP/1.1\r\nHost: lunch.test:8080\r\n\r\n",
                "https://lunch.test:8080/a/b?c=d%20e"
            ),
            ("DELETE //x HTTP/1.1\r\nHost: [::1]\r\n\r\n", "https://[::1]//x"),
            ("HEAD / HTTP/1.0\r\nHost: old\r\n\r\n", "https://old/"),
            ("GET http://other/x HTTP/1.1\r\nHost: here\r\n\r\n", "https://here/x"),
        ] {
            let reply = try await redirection(socket.port, request)
            #expect(reply?.statusLine.hasSuffix("301 Moved Permanently") == true, "\(request)")
            #expect(reply?.fields["location"] == location)
        }
        for request in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a@evil.test\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET /x\rSet-Cookie:y HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            let reply = try await redirection(socket.port, request)
            #expect(reply?.statusLine.contains(" 400 ") == true, "\(request)")
            #expect(reply?.fields["location"] == nil)
        }
        #expect(await lunchd.stop() == 0)
    }

    @Test("L-04 L-05: https has one of five dishes, not always the same, on any path, and over HTTP/1.1 too")
    func lunch() async throws {
        let socket = try PassedSocket("https")
        let lunchd = try SampleProcess("lunchd", arguments: flags, sockets: [socket])
        _ = try await lunchd.manager.next(with: "READY=1")
        var dishes: Set<String> = []
        // All the same by chance: once in 10^27.
        for _ in 0..<40 { dishes.insert(try #require(try await dish(socket.port, "/any/path"))) }
        #expect(dishes.count > 1)
        #expect(dishes.isSubset(of: ["Sandwich", "Soup", "Salad", "Burger", "Sushi"]))
        try await Client.connect(to: socket.port, offering: ["http/1.1"]) { client in
            try await client.get("/")
            #expect(try await client.response()?.body.contains("<h1>") == true)
        }
        #expect(await lunchd.stop() == 0)
    }

    @Test("L-06: https without both files is an error that names what is missing", arguments: [0, 1, 2])
    func missing(given: Int) async throws {
        let socket = try PassedSocket("https")
        let arguments = given == 0 ? [] : Array(flags.chunk(given - 1))
        let lunchd = try SampleProcess("lunchd", arguments: arguments, sockets: [socket])
        #expect(await lunchd.end() == 78)
        let line = await lunchd.lines(until: "missing: ").last ?? ""
        #expect(
            line.hasSuffix(["-key, -certificate", "missing: -certificate", "missing: -key"][given]),
            "\(line)"
        )
    }

    @Test("L-07: without a socket it serves https on port 8443, and says so")
    func alone() async throws {
        let lunchd = try SampleProcess("lunchd", arguments: flags)
        let lines = await lunchd.lines(until: "listening on [::]:8443")
        #expect(lines.contains("no socket was passed: serving https on port 8443"))
        // Another process may have the port: then that is what it says.
        #expect(lines.contains { $0.contains("8443") && $0.contains("listen") }, "\(lines)")
        _ = await lunchd.stop()
    }

    @Test("a reload shows the new certificate to new connections, and open ones go on")
    func reload() async throws {
        let directory = try TestCertificate.makeDirectory()
        let (crt, key) = ("\(directory)/chain.pem", "\(directory)/key.pem")
        try TestCertificate.one.copy(certificate: crt, key: key)
        let socket = try PassedSocket("https")
        let lunchd = try SampleProcess(
            "lunchd",
            arguments: ["-key", key, "-certificate", crt],
            sockets: [socket]
        )
        _ = try await lunchd.manager.next(with: "READY=1")
        try await FrameClient.connect(to: socket.port) { old in
            try await old.send(.request(1))
            #expect(try await old.response()?.fields[":status"] == "200")
            try TestCertificate.other.copy(certificate: crt, key: key)
            lunchd.signal(SIGHUP)
            _ = try await lunchd.manager.next(with: "STATUS=reloaded")
            try await Client.connect(to: socket.port, offering: ["http/1.1"]) { client in
                try await client.get()
                _ = try await client.response()
                #expect(try await client.certificate() == TestCertificate.other.read)
            }
            try await old.send(.request(3))
            #expect(try await old.response()?.fields[":status"] == "200")
        }
        #expect(await lunchd.stop() == 0)
    }

    @Test("sockets of which none is known are an error that names them")
    func unknown() async throws {
        let lunchd = try SampleProcess("lunchd", arguments: flags, sockets: [PassedSocket("lunchd.socket")])
        #expect(await lunchd.end() == 78)
        let lines = await lunchd.lines(until: "none of the passed sockets")
        #expect(lines.contains { $0.contains("their names: \"lunchd.socket\"") }, "\(lines)")
    }

    @Test("L-09: a server that fails ends the process")
    func failing() async throws {
        let sockets = try ["http", "https"].map { try PassedSocket($0) }
        let lunchd = try SampleProcess("lunchd", arguments: flags, sockets: sockets)
        _ = try await lunchd.manager.next(with: "READY=1")
        try sockets[0].shutDown()
        #expect(await lunchd.end() == 70)
    }

    @Test("a certificate that cannot be read is an error that says why")
    func unreadable() async throws {
        let lunchd = try SampleProcess("lunchd", arguments: ["-key=/none", "--certificate=/none"])
        #expect(await lunchd.end() == 69)
        let lines = await lunchd.lines(until: "cannot open /none")
        #expect(lines.contains { $0.contains("cannot open /none: No such file or directory") }, "\(lines)")
    }

    @Test(
        "what the command line does not have is told, with status 64",
        arguments: [
            ["-port", "80"], ["-key"], ["-key="], ["-key", "a", "-key", "b"], ["lunch"], ["---key", "a"],
        ]
    )
    func usage(arguments: [String]) async throws {
        let lunchd = try SampleProcess("lunchd", arguments: arguments)
        #expect(await lunchd.end() == 64)
        let lines = await lunchd.lines(until: "usage: ")
        #expect(lines.first?.hasPrefix("lunchd: ") == true)
        #expect(lines.last == "usage: lunchd [-key PATH -certificate PATH]")
    }
}

extension Array {
    /// Two elements, from twice the number on.
    fileprivate func chunk(_ number: Int) -> ArraySlice<Element> { self[2 * number..<2 * number + 2] }
}
