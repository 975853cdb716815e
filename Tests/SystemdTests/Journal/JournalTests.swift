import Glibc
import Testing

@testable import Systemd

/// Too large for a datagram of any process, a privileged one too.
private let huge = JournalEntry(filler(of: 17 << 20), fields: [JournalField("END", "1\n2")])

private func filler(of count: Int) -> String {
    String(decoding: [UInt8](repeating: UInt8(ascii: "x"), count: count), as: UTF8.self)
}

/// Sends entries until the journal's socket is full; gives how many went out.
private func fill(_ journal: Journal) throws -> Int {
    for number in 0..<100_000 {
        let outcome = journal.send(JournalEntry("\(number)"))
        if outcome == .dropped { return number }
        try #require(outcome == .sent)
    }
    throw SystemdError(.sendFailed, "the socket of a journal that does not read never was full")
}

@Suite("Journal")
struct JournalTests {
    // MARK: - Sending

    @Test("an entry goes out as one datagram, byte for byte")
    func bytes() throws {
        try withFakeJournal { (fake, journal) throws in
            let entry = JournalEntry("one\ntwo", fields: [JournalField("B", bytes: [0, 0xFF])])
            try #require(journal.send(entry) == .sent)
            let delivery = try fake.next()
            #expect(delivery.bytes == entry.bytes)
            #expect(delivery.descriptors.isEmpty)
            #expect(journal.lostCount == 0)
        }
    }

    @Test("an entry too large for a datagram comes as one sealed file and no bytes")
    func sealed() throws {
        try withFakeJournal { (fake, journal) throws in
            try #require(journal.send(huge) == .sent)
            let delivery = try fake.next()
            #expect(delivery.bytes.isEmpty)
            try #require(delivery.descriptors.count == 1)
            let file = delivery.descriptors[0]
            defer { close(file) }

            // F_GET_SEALS, and F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE of <linux/fcntl.h>.
            #expect(fcntl(file, 1034) == 1 | 2 | 4 | 8)
            #expect(fcntl(file, F_GETFD) == FD_CLOEXEC)
            #expect(ftruncate(file, 0) == -1)
            #expect(pwrite(file, "y", 1, 0) == -1)

            let expected = huge.bytes
            var content = [UInt8](repeating: 0, count: expected.count + 1)
            #expect(pread(file, &content, content.count, 0) == expected.count)
            #expect(memcmp(content, expected, expected.count) == 0)
        }
    }

    @Test(
        "entries of a few hundred kilobytes arrive whole, in one way or the other",
        arguments: [100, 200, 400, 900]
    )
    func medium(kilobytes: Int) throws {
        try withFakeJournal { (fake, journal) throws in
            let entry = JournalEntry(filler(of: kilobytes << 10))
            try #require(journal.send(entry) == .sent)
            let delivery = try fake.next()
            guard let file = delivery.descriptors.first else {
                #expect(delivery.bytes == entry.bytes)
                return
            }
            defer { close(file) }
            var content = [UInt8](repeating: 0, count: entry.bytes.count + 1)
            #expect(pread(file, &content, content.count, 0) == entry.bytes.count)
        }
    }

    @Test("entries from many threads arrive whole, and each thread's in its order")
    func threads() throws {
        try withFakeJournal { (fake, journal) throws in
            let each = 100
            let threads = try ["a", "b", "c", "d"].map { sender in
                try WakeableThread(name: sender) { _ in
                    for number in 0..<each {
                        let entry = JournalEntry("\(number)", fields: [JournalField("SENDER", sender)])
                        // Full for a moment: the reader is under way.
                        while journal.send(entry) == .dropped { sched_yield() }
                    }
                }
            }
            defer { for thread in threads { thread.join() } }
            var received: [String: [Int]] = [:]
            for _ in 0..<threads.count * each {
                let lines = try fake.next().text.split(separator: "\n")
                let number = try #require(Int(lines[0].dropFirst("MESSAGE=".count)))
                received[String(lines[2]), default: []].append(number)
            }
            let all = Array(0..<each)
            #expect(received == ["SENDER=a": all, "SENDER=b": all, "SENDER=c": all, "SENDER=d": all])
        }
    }

    // MARK: - A journal that does not read

    @Test("while the journal does not read nothing waits, and what is lost is counted")
    func full() throws {
        try withFakeJournal { (fake, journal) throws in
            let sent = try fill(journal)
            #expect(sent > 0)
            #expect(journal.lostCount == 1)
            for _ in 0..<100 { #expect(journal.send(JournalEntry("lost")) == .dropped) }
            #expect(journal.lostCount == 101)
            #expect(journal.send(huge) == .dropped)
            #expect(journal.lostCount == 102)

            // It reads again: what was sent is there, what was lost is not, and there is room.
            for number in 0..<sent { #expect(try fake.next().text == "MESSAGE=\(number)\nPRIORITY=6\n") }
            try #require(journal.send(JournalEntry("back")) == .sent)
            #expect(try fake.next().text == "MESSAGE=back\nPRIORITY=6\n")
            #expect(journal.lostCount == 102)
        }
    }

    // MARK: - No journal

    @Test("without a journal nothing happens, and the outcome says so")
    func absent() throws {
        let journal = try Journal(path: "/nonexistent/journal")
        #expect(journal.send(JournalEntry("hello")) == .noJournal)
        #expect(journal.send(huge) == .noJournal)
        #expect(journal.lostCount == 0)
    }

    // A process of their own for the next two: a child that another test is just starting holds a copy of every
    // descriptor for a moment, and keeps a closed socket alive.

    @Test("a journal that comes late, or comes back, is found; one that has gone is none")
    func comesAndGoes() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryDirectory { directory in
                let path = "\(directory)/socket"
                let journal = try Journal(path: path)
                try #require(journal.send(JournalEntry("early")) == .noJournal)
                for text in ["first", "second"] {
                    let fake = try FakeJournal(at: path)
                    try #require(journal.send(JournalEntry(text)) == .sent)
                    #expect(try fake.next().text.hasPrefix("MESSAGE=\(text)\n"))
                    fake.close()
                    // Its file is there, and nobody listens.
                    #expect(journal.send(JournalEntry("gone")) == .noJournal)
                    unlink(path)
                    #expect(journal.send(JournalEntry("gone")) == .noJournal)
                }
                // Replaced between two entries.
                let third = try FakeJournal(at: path)
                try #require(journal.send(JournalEntry("third")) == .sent)
                third.close()
                unlink(path)
                let fourth = try FakeJournal(at: path)
                try #require(journal.send(JournalEntry("fourth")) == .sent)
                #expect(try fourth.next().text.hasPrefix("MESSAGE=fourth\n"))
                fourth.close()
                #expect(journal.lostCount == 0)
            }
        }
    }

    @Test("whatever becomes of an entry, no descriptor is left open")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryDirectory { directory in
                func count() -> Int { openFiles("socket:", "/memfd:").count }
                let before = count()
                let fake = try FakeJournal(at: "\(directory)/socket")
                do {
                    let journal = try Journal(path: fake.path)
                    try #require(journal.send(huge) == .sent)
                    for file in try fake.next().descriptors { close(file) }
                    _ = try fill(journal)
                    #expect(journal.send(huge) == .dropped)
                    // The sender's own is one more, until it is released.
                    #expect(count() == before + 2)
                }
                #expect(count() == before + 1)

                let closed = try Journal(path: fake.path)
                closed.send(JournalEntry("hello"))
                closed.close()
                closed.close()
                #expect(count() == before + 1)
                fake.close()
                #expect(try Journal(path: fake.path).send(huge) == .noJournal)
                #expect(count() == before)
            }
        }
    }

    // MARK: - Refusals

    @Test("an entry beyond the limits fails, is counted, and nothing of it goes out")
    func limits() throws {
        try withFakeJournal { (fake, journal) throws in
            let many = JournalEntry("", fields: Array(repeating: JournalField("A", ""), count: 1023))
            let large = JournalEntry(filler(of: JournalEntry.largestSize))
            for entry in [many, large] {
                guard case .failed(let error) = journal.send(entry) else {
                    Issue.record("an entry beyond the limits did not fail")
                    continue
                }
                #expect(error.code == .messageTooLarge)
            }
            #expect(journal.lostCount == 2)
            try #require(journal.send(JournalEntry("next")) == .sent)
            #expect(try fake.next().text == "MESSAGE=next\nPRIORITY=6\n")
        }
    }

    @Test("a closed journal fails, and says so")
    func closed() throws {
        try withFakeJournal { (_, journal) throws in
            journal.close()
            let error = SystemdError(.closed, "the journal is closed; make a new one to send more")
            #expect(journal.send(JournalEntry("hello")) == .failed(error))
            #expect(journal.send(huge) == .failed(error))
            #expect(journal.lostCount == 2)
        }
    }

    @Test("a process without a descriptor to spare fails, says why, and recovers")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            try withFakeJournal { (fake, journal) throws in
                try #require(journal.send(JournalEntry("hello")) == .sent)
                _ = try fake.next()
                var old = rlimit()
                try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) == 0)
                var limit = rlimit(rlim_cur: 0, rlim_max: old.rlim_max)
                try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
                guard case .failed(let error) = journal.send(huge) else {
                    Issue.record("a memory file was made beyond the limit")
                    return
                }
                #expect(error.code == .sendFailed && error.errno == EMFILE)
                #expect(error.message.hasPrefix("cannot put an entry of 178258"))
                #expect(journal.lostCount == 1)
                #expect(journal.send(JournalEntry("small")) == .sent)
                try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) == 0)
                #expect(journal.send(huge) == .sent)
            }
        }
    }

    @Test("a path that cannot be one is refused", arguments: ["", "journal", "@journal", "/a\0b"])
    func badPath(path: String) {
        let error = #expect(throws: SystemdError.self) { try Journal(path: path) }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.hasPrefix("\(path.debugDescription) is not the path of a socket") == true)
    }

    @Test("a path of the greatest length is reached, one byte more is refused")
    func longestPath() throws {
        let unique = "/tmp/\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let path = unique + String(repeating: "x", count: 107 - unique.utf8.count)
        let fake = try FakeJournal(at: path)
        defer {
            fake.close()
            unlink(path)
        }
        #expect(try Journal(path: path).send(JournalEntry("hello")) == .sent)
        #expect(throws: SystemdError.self) { try Journal(path: path + "x") }
    }
}
