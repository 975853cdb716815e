import Glibc
import SupervisionTesting
import Systemd
import Testing

@Suite("DescriptorStore: kept state")
struct KeptStateTests {
    private func code(_ body: () throws(SystemdError) -> Void) -> SystemdError.Code? {
        do {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("what one instance keeps last is what the next one finds, and the one after it")
    func state() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 1)
        let first = try Instance(of: manager)
        #expect(try first.store.kept("count") == nil)
        #expect(!first.store.hasChanged)
        for byte in 1...3 as ClosedRange<UInt8> {
            #expect(try first.store.keep([byte], as: "count") == .sent)
        }
        #expect(first.store.hasChanged)
        await first.settle()
        #expect(manager.storedDescriptors.map(\.name) == ["count"])
        for _ in 1...2 {
            let next = try Instance(of: manager)
            #expect(try next.store.kept("count") == [3])
            #expect(next.store.unclaimed.isEmpty)
        }
    }

    @Test("the same instance finds it again and again, with and without a manager")
    func again() throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        let unmanaged = DescriptorStore(
            environment: ServiceEnvironment(variables: [:]),
            notifier: Notifier(address: nil),
            passed: PassedDescriptors([])
        )
        #expect(try unmanaged.keep([], as: "empty") == .notSupervised)
        for store in [try Instance(of: manager).store, unmanaged] {
            try store.keep([1, 2], as: "a")
            #expect(try store.kept("a") == [1, 2])
            #expect(try store.kept("a") == [1, 2])
            #expect(try store.kept("b") == nil)
            try store.remove(named: "a")
            #expect(try store.kept("a") == nil)
        }
        #expect(!unmanaged.hasChanged)
        #expect(try unmanaged.kept("empty") == [])
    }

    @Test("what the last instance left is replaced, also when nobody has asked for it")
    func replaced() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 3)
        let first = try Instance(of: manager)
        for byte in 1...2 as ClosedRange<UInt8> { try first.store.put(SealedMemory([byte]), named: "a") }
        await first.settle()
        let next = try Instance(of: manager)
        try next.store.keep([9], as: "a")
        #expect(try next.store.kept("a") == [9])
        #expect(next.store.unclaimed.isEmpty)
        await next.settle()
        #expect(manager.storedDescriptors.map(\.name) == ["a"])
    }

    @Test("without room nothing changes; what has the name already makes its own room")
    func room() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 1)
        let instance = try Instance(of: manager)
        try instance.store.keep([1], as: "a")
        #expect(code { () throws(SystemdError) in try instance.store.keep([2], as: "b") } == .storeFull)
        #expect(try instance.store.kept("b") == nil)
        try instance.store.keep([3], as: "a")
        await instance.settle()
        #expect(manager.storedDescriptors.map(\.name) == ["a"])
        let next = try Instance(of: manager)
        #expect(try next.store.kept("a") == [3])
        #expect(code { () throws(SystemdError) in try next.store.keep([2], as: "b") } == .storeFull)
    }

    @Test("a name that the manager would ignore is refused")
    func names() throws {
        let store = try Instance(of: FakeServiceManager(descriptorStoreLimit: 1)).store
        for name in ["a:b", "ä", "\n", String(repeating: "a", count: 256)] {
            #expect(code { () throws(SystemdError) in try store.keep([1], as: name) } == .invalidName)
        }
        try store.keep([1], as: String(repeating: "a", count: 255))
    }

    @Test("what is not sealed, or too large, is an error, and not found a second time")
    func unusable() async throws {
        let manager = try FakeServiceManager(descriptorStoreLimit: 2)
        let first = try Instance(of: manager)
        let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        try first.store.put([file], named: "file")
        try first.store.keep([1, 2], as: "large")
        await first.settle()
        let next = try Instance(of: manager)
        #expect(code { () throws(SystemdError) in _ = try next.store.kept("file") } == .notSealed)
        #expect(try next.store.kept("file") == nil)
        #expect(
            code { () throws(SystemdError) in _ = try next.store.kept("large", limit: 1) } == .memoryTooLarge
        )
        #expect(next.passed.all.isEmpty)
        // It is still there to be replaced.
        #expect(try next.store.keep([1], as: "file") == .sent)
        #expect(try next.store.kept("file") == [1])
    }
}
