import Glibc
import HTTPTesting
import SupervisionTesting
import Testing

@Suite("hello", .timeLimit(.minutes(1)))
struct HelloTests {
    private let certificate = TestCertificate.one

    private var paths: [String: String] {
        ["HELLO_CERTIFICATE": certificate.certificate, "HELLO_KEY": certificate.key]
    }

    private func askHTTP(_ port: Int?) async throws -> String {
        var answer = ""
        try await Client.connect(to: #require(port)) { client in
            try await client.get()
            answer = try await client.response()?.body ?? ""
        }
        return answer
    }

    private func askHTTPS(_ port: Int?) async throws -> String {
        var answer = ""
        try await FrameClient.connect(to: #require(port)) { client in
            try await client.send(.request(1))
            answer = try await client.response()?.body ?? ""
        }
        return answer
    }

    @Test("H1-01 H1-02 H2-02: without a manager's sockets GET / answers Hello World! on PORT")
    func ownPort() async throws {
        let hello = try SampleProcess("hello", variables: ["PORT": "0"])
        _ = try await hello.manager.next(with: "READY=1")
        #expect(try await askHTTP(await hello.port(of: "http")) == "Hello World!")
        #expect(await hello.stop() == 0)
    }

    @Test("H1-02 H2-05: PORT_HTTP goes before PORT; one that is no port is an error that names it")
    func variables() async throws {
        for (variables, name) in [
            (["PORT": "x"], "PORT"), (["PORT_HTTP": "x", "PORT": "0"], "PORT_HTTP"),
            (["PORT": "0", "PORT_HTTPS": "x"], "PORT_HTTPS"),
        ] {
            let hello = try SampleProcess("hello", variables: paths.merging(variables) { _, mine in mine })
            #expect(await hello.end() == 69)
            let lines = await hello.lines(until: "variable \(name) is \"x\"")
            #expect(lines.contains { $0.contains("variable \(name) is \"x\"") }, "\(lines)")
        }
    }

    @Test(
        "H2-01: one socket serves http, whatever its name, and PORT is ignored",
        arguments: ["http", "hello.socket", ""]
    )
    func oneSocket(name: String) async throws {
        let socket = try PassedSocket(name)
        let hello = try SampleProcess("hello", variables: ["PORT": "nonsense"], sockets: [socket])
        _ = try await hello.manager.next(with: "READY=1")
        #expect(await hello.port(of: "http") == socket.port)
        #expect(try await askHTTP(socket.port) == "Hello World!")
        #expect(await hello.stop() == 0)
    }

    @Test(
        "H2-05 G-02 G-05: http and https are found by name, in any order, and answer the same",
        arguments: [["http", "https"], ["https", "http"]]
    )
    func twoSockets(names: [String]) async throws {
        let sockets = try names.map { try PassedSocket($0) }
        let hello = try SampleProcess("hello", variables: paths, sockets: sockets)
        _ = try await hello.manager.next(with: "READY=1")
        let ports = Dictionary(uniqueKeysWithValues: sockets.map { ($0.name, $0.port) })
        #expect(try await askHTTP(ports["http"]) == "Hello World!")
        #expect(try await askHTTPS(ports["https"]) == "Hello World!")
        #expect(await hello.stop() == 0)
    }

    @Test("H2-05: each of the two falls back by itself", arguments: ["http", "https"])
    func fallingBack(passed: String) async throws {
        let socket = try PassedSocket(passed)
        let other = passed == "http" ? "PORT_HTTPS" : "PORT_HTTP"
        let own = passed == "http" ? "PORT_HTTP" : "PORT_HTTPS"
        let variables = paths.merging([other: "0", own: "nonsense"]) { mine, _ in mine }
        let hello = try SampleProcess("hello", variables: variables, sockets: [socket])
        _ = try await hello.manager.next(with: "READY=1")
        #expect(await hello.port(of: passed) == socket.port)
        #expect(try await askHTTP(await hello.port(of: "http")) == "Hello World!")
        #expect(try await askHTTPS(await hello.port(of: "https")) == "Hello World!")
        #expect(await hello.stop() == 0)
    }

    @Test(
        "H1-06 H1-08: draining and drained are told on a stop, in this order, and a request in flight is answered"
    )
    func stop() async throws {
        let variables = paths.merging(["PORT": "0", "PORT_HTTPS": "0"]) { mine, _ in mine }
        let hello = try SampleProcess("hello", variables: variables)
        _ = try await hello.manager.next(with: "READY=1")
        try await FrameClient.connect(to: #require(await hello.port(of: "https"))) { client in
            // That the second is answered tells that the first is being.
            try await client.send(.request(1, "/slow/0.3"), .request(3))
            #expect(try await client.response()?.body == "Hello World!")
            hello.signal(SIGTERM)
            _ = try await hello.manager.next(with: "STATUS=draining")
            #expect(try await client.response()?.body == "Hello World, after 0.3 s!")
            await client.waitForEnd()
        }
        _ = try await hello.manager.next(with: "STATUS=drained")
        #expect(await hello.end() == 0)
    }

    @Test("curl gets the same page over each protocol", arguments: ["--http1.0", "--http1.1", "--http2"])
    func curl(protocol name: String) async throws {
        let variables = paths.merging(["PORT": "0", "PORT_HTTPS": "0"]) { mine, _ in mine }
        let hello = try SampleProcess("hello", variables: variables)
        _ = try await hello.manager.next(with: "READY=1")
        let port = try #require(await hello.port(of: "https"))
        let version = ["--http1.0": "1", "--http1.1": "1.1", "--http2": "2"][name] ?? ""
        let curl = try SampleProcess(
            "/usr/bin/curl",
            arguments: ["--silent", "--show-error", "--cacert", certificate.certificate, name]
                + ["--write-out", " %{http_version}\n", "https://localhost:\(port)/"]
        )
        #expect(await curl.end() == 0)
        #expect(await curl.lines(until: "Hello").last == "Hello World! \(version)")
        #expect(await hello.stop() == 0)
    }

    // MARK: Certificates

    @Test("the certificate comes from credentials too, where there are some")
    func credentials() async throws {
        let directory = try TestCertificate.makeDirectory()
        try certificate.copy(certificate: "\(directory)/hello.crt", key: "\(directory)/hello.key")
        let variables = ["CREDENTIALS_DIRECTORY": directory, "PORT": "0", "PORT_HTTPS": "0"]
        let hello = try SampleProcess("hello", variables: variables)
        _ = try await hello.manager.next(with: "READY=1")
        #expect(try await askHTTPS(await hello.port(of: "https")) == "Hello World!")
        #expect(await hello.stop() == 0)
    }

    @Test("without a certificate there is no https")
    func noCertificate() async throws {
        let hello = try SampleProcess("hello", variables: ["PORT": "0"])
        _ = try await hello.manager.next(with: "READY=1")
        #expect(await hello.stop() == 0)
        #expect(await !hello.lines(until: "no line").contains { $0.contains("listener https") })
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var variables: [String: String] = [:]
        var sockets: [String] = []
        var status: CInt = 78
        let message: String
    }

    @Test(
        "a configuration that cannot be right is told, and nothing is served",
        arguments: [
            Wrong(
                testDescription: "a socket for TLS, no certificate",
                sockets: ["http", "https"],
                message: "a socket \"https\" was passed, but no certificate"
            ),
            Wrong(
                testDescription: "no key",
                variables: ["HELLO_CERTIFICATE": "/etc/hello.crt"],
                message: "there is HELLO_CERTIFICATE, but not HELLO_KEY"
            ),
            Wrong(
                testDescription: "no certificate",
                variables: ["HELLO_KEY": "/etc/hello.key"],
                message: "there is HELLO_KEY, but not HELLO_CERTIFICATE"
            ),
            Wrong(
                testDescription: "no such files",
                variables: [
                    "HELLO_KEY": "/none/hello.key", "HELLO_CERTIFICATE": "/none/hello.crt", "PORT": "0",
                ],
                status: 69,
                message: "cannot open /none/hello.crt: No such file or directory (errno 2)"
            ),
        ]
    )
    func wrong(row: Wrong) async throws {
        let sockets = try row.sockets.map { try PassedSocket($0) }
        let hello = try SampleProcess("hello", variables: row.variables, sockets: sockets)
        #expect(await hello.end() == row.status)
        let lines = await hello.lines(until: row.message)
        #expect(lines.contains { $0.contains(row.message) }, "\(lines)")
    }

    @Test("a reload shows the new certificate to new connections, and a broken one to nobody")
    func reload() async throws {
        let directory = try TestCertificate.makeDirectory()
        let (crt, key) = ("\(directory)/chain.pem", "\(directory)/key.pem")
        try certificate.copy(certificate: crt, key: key)
        let variables = ["HELLO_CERTIFICATE": crt, "HELLO_KEY": key, "PORT": "0", "PORT_HTTPS": "0"]
        let hello = try SampleProcess("hello", variables: variables)
        _ = try await hello.manager.next(with: "READY=1")
        let port = try #require(await hello.port(of: "https"))
        func shown() async throws -> Bool {
            var isOther = false
            try await Client.connect(to: port, offering: ["http/1.1"]) { client in
                try await client.get()
                _ = try await client.response()
                isOther = try await client.certificate() == TestCertificate.other.read
            }
            return isOther
        }
        #expect(try await !shown())
        try await FrameClient.connect(to: port) { old in
            try await old.send(.request(1))
            #expect(try await old.response()?.body == "Hello World!")

            try TestCertificate.other.copy(certificate: crt, key: "\(directory)/unused")
            hello.signal(SIGHUP)
            let failed = try await hello.manager.next(with: "READY=1").lines.first { $0.hasPrefix("STATUS") }
            #expect(failed?.contains("reload failed: certificate: \(key) is not the key of \(crt)") == true)
            #expect(try await !shown(), "the old one stays in use")

            try TestCertificate.other.copy(certificate: crt, key: key)
            hello.signal(SIGHUP)
            #expect(try await hello.manager.next(with: "READY=1").lines.contains("STATUS=reloaded"))
            #expect(try await shown())

            try await old.send(.request(3))
            #expect(try await old.response()?.body == "Hello World!", "the connection goes on")
        }
        #expect(await hello.stop() == 0)
    }
}
