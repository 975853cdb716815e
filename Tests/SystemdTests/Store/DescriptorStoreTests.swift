import Glibc
import SupervisionTesting
import Systemd
import Testing

/// A service of a manager that keeps descriptors, over as many starts as a test wants.
struct Instance {
    let notifier: Notifier
    let passed: PassedDescriptors
    let store: DescriptorStore

    /// Starts with what the manager has stored, behind some sockets of its own.
    init(of manager: FakeServiceManager, sockets: [PassedDescriptor] = []) throws {
        notifier = Notifier(address: manager.address)
        passed = PassedDescriptors(sockets + (try manager.handOverStored()))
        store = DescriptorStore(environment: manager.environment, notifier: notifier, passed: passed)
    }

    /// Lets the manager act on everything.
    func settle() async {
        #expect(await notifier.barrier(timeout: patience) == .passed)
    }

    /// Closes the masters, as the end of a process does.
    func end() {
        for descriptor in passed.all { close(descriptor.number) }
    }
}

@Suite("DescriptorStore")
struct DescriptorStoreTests {
    @Test("state that one instance stored is read by the next, and by the one after it")
    func state() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 4)
        let first = try Instance(of: manager)
        #expect(first.store.take(named: "state", as: .file).isEmpty)
        #expect(try first.store.put(SealedMemory([1, 2, 3]), named: "state") == .sent)
        await first.settle()
        for _ in 0..<2 {
            let next = try Instance(of: manager)
            let taken = next.store.take(named: "state", as: .file)
            defer { for descriptor in taken { close(descriptor) } }
            try #require(taken.count == 1)
            #expect(try SealedMemory.read(taken[0]) == [1, 2, 3])
            #expect(next.store.take(named: "state", as: .file).isEmpty)
            #expect(next.passed.all.isEmpty)
        }
    }

    @Test("of several under one name those of the kind are taken, and a socket of that name stays")
    func mixed() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 4)
        let first = try Instance(of: manager)
        for byte in 1...2 as ClosedRange<UInt8> { try first.store.put(SealedMemory([byte]), named: "http") }
        let ends = makePipe()
        defer { for end in [ends.read, ends.write] { close(end) } }
        try first.store.put([ends.read], named: "http")
        await first.settle()

        let listener = PassedDescriptor(number: try TestSocket.inet6Listener(), name: "http")
        let next = try Instance(of: manager, sockets: [listener])
        defer { next.end() }
        let taken = next.store.take(named: "http", as: .file)
        defer { for descriptor in taken { close(descriptor) } }
        #expect(try taken.map { try SealedMemory.read($0) } == [[1], [2]])
        #expect(next.store.unclaimed.map(\.kind) == [.streamListener, .fifo])
    }

    @Test("the other end of a stored connection sees its end when it is removed, and not before")
    func connection() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 4)
        let instance = try Instance(of: manager)
        let (own, other) = try TestSocket.pair(SOCK_STREAM)
        defer { close(other) }
        try instance.store.put([own], named: "connection")
        close(own)
        await instance.settle()
        var byte: UInt8 = 0
        #expect(recv(other, &byte, 1, CInt(MSG_DONTWAIT)) == -1 && errno == EAGAIN)
        #expect(try instance.store.remove(named: "connection") == .sent)
        await instance.settle()
        var watched = pollfd(fd: other, events: Int16(POLLIN), revents: 0)
        // A child that another test is just starting may hold a copy for a moment.
        let isReadable = poll(&watched, 1, 60_000) == 1
        try #require(isReadable)
        #expect(recv(other, &byte, 1, CInt(MSG_DONTWAIT)) == 0)
    }

    @Test("one more than the manager keeps is refused, what was taken back counts, and removing makes room")
    func limit() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 3)
        let first = try Instance(of: manager)
        #expect(first.store.limit == 3)
        try first.store.put([0], named: "a")
        try first.store.put([0], named: "b")
        let error = #expect(throws: SystemdError.self) { try first.store.put([0, 1], named: "a") }
        #expect(error?.code == .storeFull)
        #expect(
            error?.message
                == #"2 more descriptors under "a" do not fit: 2 are stored, and FileDescriptorStoreMax= of the unit allows 3"#
        )
        try first.store.put([0], named: "a")
        await first.settle()
        #expect(manager.storedDescriptors.map(\.name) == ["a", "b", "a"])

        let next = try Instance(of: manager)
        defer { next.end() }
        let kind = PassedDescriptor(number: 0).kind
        let taken = next.store.take(named: "a", as: kind)
        defer { for descriptor in taken { close(descriptor) } }
        try #require(taken.count == 2)
        #expect(throws: SystemdError.self) { try next.store.put([0, 0], named: "c") }
        try next.store.remove(named: "a")
        try next.store.put([0, 0], named: "c")
        await next.settle()
        #expect(manager.storedDescriptors.map(\.name) == ["b", "c", "c"])
    }

    @Test("a manager that tells no limit is told everything")
    func noLimit() throws {
        let manager = try FakeServiceManager()
        let instance = try Instance(of: manager)
        #expect(instance.store.limit == nil)
        for _ in 0..<10 { #expect(try instance.store.put([0, 1], named: "a") == .sent) }
    }

    @Test("what nobody took is closed and removed, by names that nobody took anything under")
    func unclaimed() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 8)
        let first = try Instance(of: manager)
        let memory = try SealedMemory([1])
        let ends = makePipe()
        defer { for end in [ends.read, ends.write] { close(end) } }
        for name in ["old", "old", "state", "http", "idle"] {
            try first.store.put(memory, named: name)
        }
        try first.store.put([ends.read], named: "state")
        await first.settle()

        let http = PassedDescriptor(number: try TestSocket.inet6Listener(), name: "http")
        let idle = PassedDescriptor(number: try TestSocket.inet6Listener(), name: "idle")
        let next = try Instance(of: manager, sockets: [http, idle])
        defer { next.end() }
        for descriptor in next.store.take(named: "state", as: .file) { close(descriptor) }
        for descriptor in try next.passed.duplicates(named: "http", only: .streamListener) {
            close(descriptor)
        }
        #expect(next.store.unclaimed.map(\.name) == ["idle", "old", "old", "http", "idle", "state"])
        #expect(next.store.removeUnclaimed().map(\.name) == ["idle", "old", "old", "http", "idle", "state"])
        await next.settle()
        #expect(next.passed.all == [http])
        // Removal is by name: under "state" something was taken, and under "http" a socket is served.
        #expect(manager.storedDescriptors.map(\.name) == ["state", "http", "state"])
    }

    @Test("bad input and no manager are told from each other")
    func refused() throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        let store = try Instance(of: manager).store
        for (descriptors, name, code) in [
            ([], "a", .wrongDescriptorCount), ([0], "a:b", .invalidName), ([-1], "a", .duplicationFailed),
        ] as [([CInt], String, SystemdError.Code)] {
            let error = #expect(throws: SystemdError.self) { try store.put(descriptors, named: name) }
            #expect(error?.code == code)
        }
        #expect(throws: SystemdError.self) { try store.remove(named: "\n") }
        // Nothing of that counts.
        #expect(try store.put([0, 0], named: "a") == .sent)

        let alone = DescriptorStore(
            environment: ServiceEnvironment(variables: [:]),
            notifier: Notifier(address: nil),
            passed: PassedDescriptors([])
        )
        #expect(try alone.put([0], named: "a") == .notSupervised)
        #expect(try alone.remove(named: "a") == .notSupervised)
        #expect(alone.take(named: "a", as: .file).isEmpty)
        #expect(alone.removeUnclaimed().isEmpty)
    }
}
