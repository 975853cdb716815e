import Glibc
import Systemd
import Testing

@Suite("SealedMemory")
struct SealedMemoryTests {
    /// A file in memory with some seals of the tests' choice.
    private func memory(_ bytes: [UInt8], seals: CInt) throws -> CInt {
        // The Glibc module leaves memfd_create out.
        typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> CInt
        let symbol = try #require(dlsym(nil, "memfd_create"))
        let closeOnExecAndSealable: UInt32 = 3
        let descriptor = unsafeBitCast(symbol, to: Create.self)("test", closeOnExecAndSealable)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        let addSeals: CInt = 1033
        try #require(fcntl(descriptor, addSeals, seals) == 0)
        return descriptor
    }

    private func code(_ descriptor: CInt, limit: Int = 1000) -> SystemdError.Code? {
        do {
            _ = try SealedMemory.read(descriptor, limit: limit)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "what was written is read back, whole, by whoever has the descriptor",
        arguments: [0, 1, 4096, 300_000]
    )
    func roundTrip(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let memory = try SealedMemory(bytes)
        #expect(memory.count == count)
        let copy = try memory.duplicate()
        defer { close(copy) }
        #expect(try SealedMemory.read(copy) == bytes)
    }

    @Test("reading neither minds nor moves the offset that all share")
    func offset() throws {
        let memory = try SealedMemory([1, 2, 3]).duplicate()
        defer { close(memory) }
        try #require(lseek(memory, 2, SEEK_SET) == 2)
        #expect(try SealedMemory.read(memory) == [1, 2, 3])
        #expect(lseek(memory, 0, SEEK_CUR) == 2)
    }

    @Test("nobody can change it any more, and children do not inherit it")
    func sealed() throws {
        let memory = try SealedMemory([1, 2, 3]).duplicate()
        defer { close(memory) }
        #expect(pwrite(memory, "x", 1, 0) == -1 && errno == EPERM)
        #expect(ftruncate(memory, 0) == -1 && errno == EPERM)
        #expect(ftruncate(memory, 10) == -1 && errno == EPERM)
        #expect(fcntl(memory, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test(
        "every missing seal is refused by name",
        arguments: [(1, "SEAL"), (2, "SHRINK"), (4, "GROW"), (8, "WRITE")]
    )
    func missing(seal: CInt, name: String) throws {
        let all = try memory([1], seals: 15)
        defer { close(all) }
        #expect(try SealedMemory.read(all) == [1])
        let descriptor = try memory([1], seals: 15 & ~seal)
        defer { close(descriptor) }
        let error = #expect(throws: SystemdError.self) { try SealedMemory.read(descriptor) }
        #expect(error?.code == .notSealed)
        #expect(error?.message.contains("lacks F_SEAL_\(name):") == true)
    }

    @Test("what is no such file is refused by kind")
    func otherKinds() throws {
        let ends = makePipe()
        let file = open("/proc/self/exe", O_RDONLY)
        defer { for descriptor in [ends.read, ends.write, file] { close(descriptor) } }
        for descriptor in [ends.read, file, -1] { #expect(code(descriptor) == .notSealed) }
        let error = #expect(throws: SystemdError.self) { try SealedMemory.read(ends.read) }
        #expect(error?.message.contains("(fifo) is not a file of sealed memory") == true)
    }

    @Test("what is larger than the limit is not read, and the limit itself is")
    func limit() throws {
        let memory = try SealedMemory([1, 2, 3]).duplicate()
        let empty = try SealedMemory([]).duplicate()
        defer { for descriptor in [memory, empty] { close(descriptor) } }
        #expect(code(memory, limit: 3) == nil)
        #expect(code(memory, limit: 2) == .memoryTooLarge)
        #expect(code(memory, limit: -1) == .memoryTooLarge)
        #expect(code(empty, limit: .min) == nil)
    }

    @Test("a name that the system refuses is an error that names it")
    func name() throws {
        let error = #expect(throws: SystemdError.self) {
            try SealedMemory([], name: String(repeating: "a", count: 250))
        }
        #expect(error?.code == .memoryFailed)
        #expect(error?.errno == EINVAL)
        _ = try SealedMemory([], name: String(repeating: "a", count: 249))
    }

    @Test("it is closed when it is released")
    func released() async {
        await #expect(processExitsWith: .success) {
            let copy: CInt
            do {
                let memory = try SealedMemory([1])
                copy = try memory.duplicate()
                #expect(memory.withDescriptor { copies(of: $0) } == 2)
            }
            #expect(copies(of: copy) == 1)
        }
    }
}
