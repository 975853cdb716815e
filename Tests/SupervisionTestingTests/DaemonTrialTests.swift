import DaemonKit
import Dispatch
import Glibc
import SupervisionTesting
import Testing

/// What a server at an IPv4 address says to whoever connects, to its end.
private func ask(_ address: SocketAddress) async throws -> String {
    let port = try #require(address.port)
    return await withCheckedContinuation { continuation in
        // It may have to wait for the server: not on the pool that the server runs on.
        DispatchQueue.global().async {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            defer { close(descriptor) }
            var peer = sockaddr_in()
            peer.sin_family = sa_family_t(AF_INET)
            peer.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, "127.0.0.1", &peer.sin_addr)
            _ = withUnsafeBytes(of: &peer) { bytes in
                connect(
                    descriptor,
                    bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
                    socklen_t(bytes.count)
                )
            }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 100)
            while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
                answer += buffer[..<count]
            }
            continuation.resume(returning: String(decoding: answer, as: UTF8.self))
        }
    }
}

@Suite("DaemonTrial")
struct DaemonTrialTests {
    /// A daemon as programs have it: what it is told comes from its environment.
    private struct Echo: Daemon {
        let greeting = ServiceEnvironment.take().variables["GREETING"] ?? "none"

        var supervisor: Supervisor {
            Supervisor {
                Listener("echo", fallback: .host("127.0.0.1", port: 0)) { [greeting] connection in
                    try await connection.write(greeting)
                }
                ReadyMarker()
                StatusSetter(onShutdown: "drained")
                Drainer()
                StatusSetter(onShutdown: "draining")
            }
        }
    }

    /// One that cannot be made.
    private struct Unmade: Daemon {
        init() {}
        init(_ error: any Error) throws { throw error }
        var supervisor: Supervisor { Supervisor {} }
    }

    @Test("the tree that ships, from its start to its end")
    func whole() async throws {
        let trial = try DaemonTrial(Echo())
        try await trial.started()
        #expect(await trial.stop() == .clean)
        try trial.story.expect(.ready, after: .start(of: "echo"))
        try trial.story.expect(.stopping, before: .stop(of: "status(draining)"))
        try trial.story.expect(statuses: ["draining", "drained"])
        try trial.story.expect(
            notifications: ["READY=1", "STOPPING=1", "STATUS=draining", "STATUS=drained"]
        )
        let message = await failure { try trial.story.expect(notifications: ["READY=1", "STOPPING=1"]) }
        #expect(message?.contains("READY=1, STOPPING=1, and were READY=1, STOPPING=1, STATUS=dr") == true)
        try trial.story.expect(.stop(of: "drainer"), before: .stop(of: "echo"))
        try await trial.expectNothingLeft()
    }

    @Test("the environment is the trial's, for each of several at the same time")
    func environment() async throws {
        try await withThrowingTaskGroup { group in
            for greeting in ["hello", "hi", "good day"] {
                group.addTask {
                    let trial = try DaemonTrial(Echo(), variables: ["GREETING": greeting])
                    try await trial.ready()
                    let address = try #require(trial.addresses(of: "echo").first)
                    #expect(try await ask(address) == greeting)
                    #expect(await trial.stop() == .clean)
                    #expect(trial.addresses(of: "echo").isEmpty)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a passed socket is served by one daemon after the other, and who comes in between waits")
    func sockets() async throws {
        let socket = try PassedSocket("echo")
        for greeting in ["first", "second"] {
            async let answer = ask(socket.address)
            let trial = try DaemonTrial(Echo(), variables: ["GREETING": greeting], sockets: [socket])
            try await trial.ready()
            #expect(trial.addresses(of: "echo") == [socket.address])
            #expect(try await answer == greeting)
            #expect(await trial.stop() == .clean)
        }
    }

    @Test("a second signal is where a process would end at once")
    func cutShort() async throws {
        let hung = Probe("hung", shutdown: .graceful(.seconds(60)), ignoresStop: true)
        let trial = try DaemonTrial { Supervisor { hung } }
        try await trial.ready()
        trial.send(.terminate)
        await hung.wait(for: .stopRequested)
        trial.send(.interrupt)
        try await trial.story.wait(for: .cutShort)
        try trial.story.expect(.signal(.terminate), before: .stopping)
        hung.finish()
        #expect(await trial.end() == .clean)
    }

    @Test("a reload is over when the manager has heard so")
    func reload() async throws {
        let reloaded = Recorder<Int>()
        let trial = try DaemonTrial {
            Supervisor {
                ChildSpec("settings") { child in
                    child.onReload { reloaded.add(1) }
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        try await trial.ready()
        for count in 1...2 {
            try await trial.reload()
            #expect(reloaded.all.count == count)
        }
        #expect(await trial.stop() == .clean)
    }

    @Test("signs of life come as time passes")
    func watchdog() async throws {
        let manager = try FakeServiceManager(watchdog: .seconds(30))
        let trial = try DaemonTrial(manager: manager) { Supervisor { Probe("a") } }
        try await trial.story.wait(for: .ping)
        for count in 2...4 {
            await trial.clock.sleeper(dueIn: .seconds(15))
            trial.clock.advance(by: .seconds(15))
            try await trial.story.wait(for: .ping, count: count)
        }
        #expect(await trial.stop() == .clean)
    }

    @Test("what the manager keeps is there for the next daemon")
    func store() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        for expected in [nil, "1"] as [String?] {
            let trial = try DaemonTrial(manager: manager) {
                Supervisor {
                    ChildSpec("counter") { child in
                        let before = try child.daemon.store.kept("counter")
                        #expect(before.map { String(decoding: $0, as: UTF8.self) } == expected)
                        try child.daemon.store.keep(Array("1".utf8), as: "counter")
                        child.started()
                        await child.shutdownRequested()
                    }
                }
            }
            try await trial.ready()
            #expect(await trial.stop() == .clean)
        }
    }

    @Test("a tree that fails tells its exit status, its error and its last status")
    func fails() async throws {
        let trial = try DaemonTrial { Supervisor { Probe("a", start: .failing(InjectedFailure("no disk"))) } }
        #expect(await trial.end() == .startFailed)
        #expect((await trial.failure as? SupervisorError)?.path == "a")
        #expect(trial.story.statuses.last?.contains("no disk") == true)
        #expect(
            await failure { try await trial.ready() }?.contains("the notification READY=1 did not come")
                == true
        )
        #expect(trial.log.all.contains { $0.hasPrefix("<3>") && $0.contains("no disk") })
    }

    @Test("a story is what it was when its trial has gone")
    func released() async throws {
        var trial: DaemonTrial? = try DaemonTrial(Echo())
        let story = try #require(trial).story
        try await trial?.started()
        #expect(await trial?.stop() == .clean)
        let lines = story.lines
        trial = nil
        #expect(story.lines == lines)
    }

    @Test("a daemon that cannot be made gives back what it was passed, and is the test's error")
    func unmade() async {
        await #expect(processExitsWith: .success) {
            let message = await failure {
                try await Leftovers.expectNone {
                    let socket = try PassedSocket("echo")
                    #expect(throws: InjectedFailure.self) {
                        try DaemonTrial(Unmade(InjectedFailure()), sockets: [socket])
                    }
                }
            }
            #expect(message == nil, "\(message ?? "")")
        }
    }

    @Test("a watchdog of any length is a number of microseconds")
    func longWatchdog() throws {
        let manager = try FakeServiceManager(watchdog: .seconds(Int64.max))
        #expect(manager.environment.problems.isEmpty)
    }

    @Test("nothing is left open in the process")
    func leftovers() async {
        await #expect(processExitsWith: .success) {
            let message = await failure {
                try await Leftovers.expectNone {
                    let socket = try PassedSocket("echo")
                    let trial = try DaemonTrial(Echo(), sockets: [socket])
                    try await trial.ready()
                    #expect(try await ask(socket.address) == "none")
                    await trial.stop()
                    try await trial.expectNothingLeft()
                }
            }
            #expect(message == nil, "\(message ?? "")")
        }
    }

    @Test("what is left open is found")
    func leftoversFound() async {
        await #expect(processExitsWith: .success) {
            var kept: [PassedSocket] = []
            let message = await failure {
                try await Leftovers.expectNone { kept.append(try PassedSocket("a")) }
            }
            #expect(message == "open: socket", "\(message ?? "nothing")")
            kept = []
        }
    }
}
