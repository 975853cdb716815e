import SupervisionTesting
import Systemd
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite("FakeServiceManager")
struct FakeServiceManagerTests {
    @Test("a service finds the manager in its environment")
    func environment() async throws {
        let manager = try FakeServiceManager()
        #expect(manager.environment.isUnderManager)
        Notifier(address: manager.environment.notifyAddress).send(.ready)
        #expect(try await manager.next().lines == ["READY=1"])
    }

    @Test("a message that comes later ends the wait")
    func waits() async throws {
        let manager = try FakeServiceManager()
        let next = Task.immediate { try await manager.next() }
        Notifier(address: manager.address).send(.stopping)
        #expect(try await next.value["STOPPING"] == "1")
    }

    @Test("everything received is kept, what was passed over too")
    func received() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        for message in [.status("a=b"), .watchdog, .ready] as [NotifyMessage] { notifier.send(message) }
        #expect(try await manager.next(with: "READY=1").lines == ["READY=1"])
        #expect(manager.received.map(\.description) == ["STATUS=a=b", "WATCHDOG=1", "READY=1"])
        #expect(manager.received[0]["STATUS"] == "a=b")
        #expect(manager.received[0]["READY"] == nil)
    }

    @Test("while it is paused nothing is taken")
    func paused() async throws {
        let manager = try FakeServiceManager()
        let notifier = Notifier(address: manager.address)
        notifier.send(.status("reading"))
        _ = try await manager.next()
        manager.pause()
        while notifier.send(.ready) == .sent {}
        #expect(manager.received.count == 1)
        manager.resume()
        #expect(try await manager.next().lines == ["READY=1"])
    }

    @Test("cancelling ends the wait")
    func cancelled() async throws {
        let manager = try FakeServiceManager()
        let task = Task.immediate { try await manager.next() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("closing ends the wait, and removes the socket with its directory")
    func closed() async throws {
        let manager = try FakeServiceManager()
        let path = manager.address.description
        let directory = String(path.dropLast("/notify".count))
        try #require(access(path, F_OK) == 0)
        let next = Task.immediate { try await manager.next() }
        manager.close()
        await #expect(throws: SystemdError.self) { try await next.value }
        #expect(access(directory, F_OK) != 0)
        manager.close()
    }

    @Test("what is stored is kept by name up to the limit, comes back as duplicates, and goes by name")
    func store() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        #expect(manager.variables["FDSTORE"] == "2")
        let notifier = Notifier(address: manager.address)
        notifier.send(try .storeDescriptors([0], named: "a"))
        notifier.send(try .storeDescriptors([1, 2], named: "b"))
        #expect(await notifier.barrier(timeout: .seconds(60)) == .passed)
        #expect(manager.storedDescriptors.map(\.name) == ["a", "b"])
        let next = try manager.handOverStored()
        defer { for descriptor in next { close(descriptor.number) } }
        #expect(next.map(\.name) == ["a", "b"])
        #expect(Set(next.map(\.number)).isDisjoint(with: manager.storedDescriptors.map(\.number)))
        notifier.send(try .removeStored(named: "a"))
        #expect(await notifier.barrier(timeout: .seconds(60)) == .passed)
        #expect(manager.storedDescriptors.map(\.name) == ["b"])
    }

    @Test("a manager without room for descriptors closes what it gets")
    func noStore() async throws {
        let manager = try FakeServiceManager()
        #expect(manager.variables["FDSTORE"] == nil)
        let notifier = Notifier(address: manager.address)
        notifier.send(try .storeDescriptors([0], named: "a"))
        #expect(try await manager.next().descriptorCount == 1)
        #expect(manager.storedDescriptors.isEmpty)
    }
}
