import JournalLogging
import Logging
import Systemd
import Testing

private struct Refused: Error, CustomStringConvertible {
    let description = "refused\nfor good"
}

/// What comes before the metadata of what these tests log.
private let place = ["LOGGER=web", "CODE_FILE=Web.swift", "CODE_LINE=12", "CODE_FUNC=serve()"]

@Suite("JournalLogHandler")
struct JournalLogHandlerTests {
    private let fake: FakeJournal

    init() throws {
        fake = try FakeJournal()
    }

    private func logger(provider: Logger.MetadataProvider? = nil) -> Logger {
        Logger(label: "web") {
            JournalLogHandler(label: $0, journal: fake.journal, metadataProvider: provider)
        }
    }

    private func log(
        _ logger: Logger,
        _ message: Logger.Message = "hello",
        level: Logger.Level = .info,
        error: (any Error)? = nil,
        metadata: Logger.Metadata? = nil
    ) {
        logger.log(
            level: level,
            message,
            error: error,
            metadata: metadata,
            file: "Web.swift",
            function: "serve()",
            line: 12
        )
    }

    @Test("an entry is its message, priority, logger, place and metadata, byte for byte")
    func bytes() {
        log(logger(), "grüße", level: .warning, metadata: ["request-id": "a7", "_port": "80"])
        let expected =
            "MESSAGE=grüße\nPRIORITY=4\nLOGGER=web\nCODE_FILE=Web.swift\nCODE_LINE=12\nCODE_FUNC=serve()\n"
            + "PORT=80\nREQUEST_ID=a7\n"
        #expect(fake.next() == Array(expected.utf8))
        #expect(fake.next() == nil)
    }

    @Test("several lines have their length before them, in a message and in a value")
    func framed() {
        log(logger(), "one\ntwo", metadata: ["a": "1\n2"])
        let expected =
            Array("MESSAGE\n".utf8) + [7, 0, 0, 0, 0, 0, 0, 0] + Array("one\ntwo\nPRIORITY=6\n".utf8)
            + Array((place.joined(separator: "\n") + "\nA\n").utf8)
            + [3, 0, 0, 0, 0, 0, 0, 0] + Array("1\n2\n".utf8)
        #expect(fake.next() == expected)
    }

    @Test(
        "each level has its priority",
        arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2])
    )
    func levels(level: Logger.Level, priority: Int) {
        var logger = logger()
        logger.logLevel = .trace
        log(logger, level: level)
        #expect(fake.nextLines() == ["MESSAGE=hello", "PRIORITY=\(priority)"] + place)
    }

    @Test("what is below the logger's level is not written; info is the least by default")
    func threshold() {
        var logger = logger()
        log(logger, level: .debug)
        #expect(fake.next() == nil)
        logger.logLevel = .error
        log(logger, level: .warning)
        #expect(fake.next() == nil)
        log(logger, level: .error)
        #expect(fake.nextLines().first == "MESSAGE=hello")
    }

    @Test("the place of logging counts for more than the task, and the task for more than the logger")
    func precedence() {
        let provider = Logger.MetadataProvider { ["a": "task", "b": "task", "d": "task"] }
        var logger = logger(provider: provider)
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger[metadataKey: "c"] = "logger"
        log(logger, metadata: ["a": "here", "e": "here"])
        #expect(fake.nextLines().dropFirst(6) == ["A=here", "B=task", "C=logger", "D=task", "E=here"])
    }

    @Test("a provider is asked anew for each entry, in the task that logs")
    func provider() async {
        enum Request {
            @TaskLocal static var id = "none"
        }
        let logger = logger(provider: Logger.MetadataProvider { ["request": "\(Request.id)"] })
        log(logger)
        Request.$id.withValue("7") { log(logger) }
        log(logger)
        let values = (0..<3).map { _ in fake.nextLines().last }
        #expect(values == ["REQUEST=none", "REQUEST=7", "REQUEST=none"])
    }

    @Test("metadata of a logger is its own, and can be read and taken back")
    func ownMetadata() {
        let first = logger()
        var second = first
        second[metadataKey: "a"] = "1"
        log(first)
        #expect(fake.nextLines().dropFirst(2) == place[...])
        log(second)
        #expect(fake.nextLines().last == "A=1")
        #expect(second[metadataKey: "a"] == "1")
        second[metadataKey: "a"] = nil
        log(second)
        #expect(fake.nextLines().dropFirst(2) == place[...])
    }

    @Test("a list is several values of one field, in their order; of an empty one there is none")
    func lists() {
        log(logger(), metadata: ["tag": ["b", "a", "b"], "none": []])
        #expect(fake.nextLines().dropFirst(6) == ["TAG=b", "TAG=a", "TAG=b"])
    }

    @Test("what is nested deeper is one value, as text")
    func nested() {
        log(logger(), metadata: ["user": ["id": "7"], "rows": [["1", "2"], "3"]])
        #expect(fake.nextLines().dropFirst(6) == [#"ROWS=["1", "2"]"#, "ROWS=3", #"USER=["id": "7"]"#])
    }

    @Test("an error is a field, of several lines too")
    func error() {
        log(logger(), level: .error, error: Refused(), metadata: ["a": "1"])
        let expected =
            Array((["MESSAGE=hello", "PRIORITY=3"] + place + ["ERROR", ""]).joined(separator: "\n").utf8)
            + [16, 0, 0, 0, 0, 0, 0, 0] + Array("refused\nfor good\nA=1\n".utf8)
        #expect(fake.next() == expected)
    }

    @Test("metadata cannot pass for the entry's own message or priority, nor add a field")
    func injection() {
        log(logger(), metadata: ["message": "m", "PRIORITY": "0", "a=b\nPRIORITY": "x"])
        #expect(
            fake.nextLines().dropFirst(6) == ["FIELD_PRIORITY=0", "A_B_PRIORITY=x", "FIELD_MESSAGE=m"]
        )
    }

    @Test("where there is no journal nothing is written, and nothing is lost")
    func noJournal() throws {
        let journal = try Journal(path: "/nonexistent/journal")
        let logger = Logger(label: "web") { JournalLogHandler(label: $0, journal: journal) }
        logger.error("hello")
        #expect(journal.lostCount == 0)
    }

    @Test("a journal that does not read never holds up who logs, and what it does not take is counted")
    func full() {
        let logger = logger()
        var written = 0
        while fake.journal.lostCount < 10, written < 100_000 {
            log(logger, "\(written)")
            written += 1
        }
        #expect(fake.journal.lostCount == 10)
        var taken = 0
        while fake.nextLines().first == "MESSAGE=\(taken)" { taken += 1 }
        #expect(taken == written - 10)
    }
}
