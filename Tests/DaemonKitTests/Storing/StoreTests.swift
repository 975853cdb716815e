import Glibc
import Supervision
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

@Suite("The manager's store, in a tree", .timeLimit(.minutes(1)))
struct StoreTests {
    /// Counts the processes it has lived in.
    private func counter(_ facts: Recorder<String>) -> ChildSpec {
        ChildSpec("counter", shutdown: .graceful(.seconds(5))) { child in
            let count = (try child.daemon.store.kept("count")?.first ?? 0) + 1
            facts.add("process \(count)")
            child.started()
            await child.shutdownRequested()
            try child.daemon.store.keep([count], as: "count")
        }
    }

    @Test("what a child keeps as it stops is with the manager when the process ends, and read by the next")
    func state() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 1)
        let facts = Recorder<String>()
        for number in 1...3 {
            let trial = try DaemonTrial(manager: manager) { [self] in Supervisor { counter(facts) } }
            try await trial.ready()
            #expect(await trial.stop() == .clean)
            #expect(manager.storedDescriptors.map(\.name) == ["count"])
            #expect(facts.all.last == "process \(number)")
        }
    }

    @Test("a manager that does not read is not waited for without end, and the log says that it did not")
    func stuck() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 1)
        let facts = Recorder<String>()
        let trial = try DaemonTrial(manager: manager, patience: .zero) { [self] in
            Supervisor { counter(facts) }
        }
        try await trial.ready()
        manager.pause()
        #expect(await trial.stop() == .clean)
        #expect(trial.log.all.last == "<4>the service manager did not take every message")
    }

    @Test("a child that is restarted within the tree finds its state", arguments: [true, false])
    func restart(isManaged: Bool) async throws {
        let facts = Recorder<String>()
        let variables = isManaged ? [:] : ["NOTIFY_SOCKET": ""]
        let trial = try DaemonTrial(variables: variables) {
            Supervisor {
                ChildSpec("counter") { child in
                    let count = (try child.daemon.store.kept("count")?.first ?? 0) + 1
                    try child.daemon.store.keep([count], as: "count")
                    child.started()
                    facts.add("start \(count)")
                    if count < 3 { throw InjectedFailure() }
                    await child.shutdownRequested()
                }
            }
        }
        await facts.wait(for: "start 3")
        #expect(await trial.stop() == .clean)
    }

    @Test("what no child has taken when the tree has started is removed, and named in the log")
    func unclaimed() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 8)
        let before = Notifier(address: manager.address)
        let memory = try SealedMemory([1])
        for name in ["count", "old", "http"] {
            _ = try memory.withDescriptor { before.send(try .storeDescriptors([$0], named: name)) }
        }
        #expect(await before.barrier(timeout: .seconds(60)) == .passed)

        let facts = Recorder<String>()
        let sockets = try ["http", "idle"].map { try PassedSocket($0) }
        let trial = try DaemonTrial(sockets: sockets, manager: manager) { [self] in
            Supervisor {
                counter(facts)
                ReadyMarker()
                ChildSpec("last") { child in
                    facts.add(child.daemon.descriptors.all.map(\.name).joined(separator: " "))
                    child.started()
                    await child.shutdownRequested()
                }
            }
        }
        await trial.log.wait(forCount: 5)
        #expect(facts.all == ["process 2", "http idle old http"])
        let lines = trial.log.all.filter { $0.hasPrefix("<4>") }
        try #require(lines.count == 4)
        // Sockets may be a socket unit's, and somebody's who comes later.
        for (line, name) in zip(lines, ["http", "idle"]) {
            #expect(line.contains("\"\(name)\" (stream listener, 127.0.0.1:"))
            #expect(line.hasSuffix("was passed, but no child of the tree takes it"))
        }
        for (line, name) in zip(lines.dropFirst(2), ["old", "http"]) {
            #expect(line.hasSuffix("\"\(name)\" (file) was kept, but no child of the tree takes it: removed"))
        }
        #expect(await trial.stop() == .clean)
        #expect(manager.storedDescriptors.map(\.name) == ["count"])
    }

    @Test("a connection goes from one process to the next, and its peer notices nothing")
    func connection() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        let pairs = try (1...2).map { _ in try connectedPair() }
        let first = try DaemonTrial(manager: manager) {
            Supervisor {
                ChildSpec("lines", shutdown: .graceful(.seconds(5))) { child in
                    child.started()
                    await child.shutdownRequested()
                    for pair in pairs { try child.daemon.store.put(pair.server, named: "line") }
                    for pair in pairs { pair.server.close() }
                }
            }
        }
        try await first.ready()
        #expect(await first.stop() == .clean)
        #expect(throws: SocketError.self) {
            try DescriptorStore(
                environment: manager.environment,
                notifier: Notifier(address: nil),
                passed: PassedDescriptors([])
            ).put(pairs[0].server, named: "line")
        }

        // One of the peers leaves with all that it had to say unsaid, which is a reset; a word of the other waits.
        await pairs[0].client.reset()
        try await pairs[1].client.write("hello")
        let taken = Recorder<Int>()
        let next = try DaemonTrial(manager: manager) {
            Supervisor {
                ChildSpec("lines") { child in
                    let lines = child.daemon.store.takeConnections(named: "line")
                    taken.add(lines.count)
                    taken.add(child.daemon.store.takeConnections(named: "line").count)
                    child.started()
                    for line in lines {
                        try await line.write(line.read() + Array(" again".utf8))
                        line.close()
                    }
                    try child.daemon.store.remove(named: "line")
                    await child.shutdownRequested()
                }
            }
        }
        // The end comes when the manager has let go of it too.
        let answer = try await pairs[1].client.readAll()
        #expect(String(decoding: answer, as: UTF8.self) == "hello again")
        #expect(taken.all == [1, 0])
        #expect(await next.stop() == .clean)
        #expect(manager.storedDescriptors.isEmpty)
    }

    @Test("what is no connection cannot be adopted as one, and stays the caller's")
    func notConnected() throws {
        let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "a")
        for descriptor in [socket.descriptor, -1] {
            let error = #expect(throws: SocketError.self) { try Connection(adopting: descriptor) }
            #expect(error?.code == .notConnected)
        }
        #expect(fcntl(socket.descriptor, F_GETFD) >= 0)
    }
}

/// Two ends of a connection over the loopback address.
private func connectedPair() throws -> (server: Connection, client: Connection) {
    let socket = try ListeningSocket.bind(.host("127.0.0.1", port: 0), name: "pair")
    let client = try TestClient.connect(to: socket.localAddress)
    let accepted = accept(socket.descriptor, nil, nil)
    try #require(accepted >= 0)
    return (try Connection(adopting: accepted), client)
}

extension Connection {
    /// Ends it so that the other end finds no connection there.
    fileprivate func reset() async {
        _ = try? withDescriptor { descriptor in
            var option = linger(l_onoff: 1, l_linger: 0)
            let size = socklen_t(MemoryLayout<linger>.size)
            return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        }
        await finish()
    }
}
