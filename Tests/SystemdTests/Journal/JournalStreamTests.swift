import Glibc
import Testing

@testable import Systemd

@Suite("JournalStream")
struct JournalStreamTests {
    private func read(_ value: String) -> ServiceEnvironment {
        ServiceEnvironment(variables: ["JOURNAL_STREAM": value])
    }

    @Test("the variable is a device and an inode")
    func numbers() {
        let environment = read("8:18446744073709551615")
        #expect(environment.journalStream == JournalStream(device: 8, inode: .max))
        #expect(environment.problems.isEmpty)
        #expect(read("").journalStream == nil)
        #expect(read("").problems.isEmpty)
    }

    @Test(
        "what is no stream is a problem",
        arguments: [
            "8", "8:", ":9", ":", "8:9:10", "8:-9", " 8:9", "8: 9", "8:18446744073709551616", "a:b", "٨:٩",
        ]
    )
    func malformed(value: String) {
        #expect(read(value).journalStream == nil)
        #expect(
            read(value).problems.map(\.description) == [
                "JOURNAL_STREAM=\(value.quotedForMessage) is not a stream; "
                    + "expected the numbers of a device and an inode, a colon between"
            ]
        )
    }

    @Test("a descriptor is the stream when it has its device and inode, and a duplicate is too")
    func same() throws {
        let (stream, other) = try TestSocket.pair(SOCK_STREAM)
        defer {
            close(stream)
            close(other)
        }
        var status = stat()
        try #require(fstat(stream, &status) == 0)
        let journal = try #require(read("\(status.st_dev):\(status.st_ino)").journalStream)
        #expect(journal.isOpen(as: stream))
        #expect(!journal.isOpen(as: other))
        #expect(!JournalStream(device: journal.device + 1, inode: journal.inode).isOpen(as: stream))
        #expect(!journal.isOpen(as: -1))

        // Redirected, the number is something else.
        let number = dup(stream)
        defer { close(number) }
        #expect(journal.isOpen(as: number))
        try #require(dup2(other, number) == number)
        #expect(!journal.isOpen(as: number))
    }
}
