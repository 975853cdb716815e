import Dispatch
import SupervisionTesting
import Testing

@testable import DaemonKit

@Suite("The daemon's log", .timeLimit(.minutes(1)))
struct DaemonLogTests {
    @Test("of more lines than may wait some are dropped and counted, and never the last word")
    func full() async {
        let lines = Recorder<String>()
        let isRead = DispatchSemaphore(value: 0)
        let log = DaemonLog { _, text in
            lines.add(text)
            if text == "first" { isRead.wait() }
        }
        log.write(.info, "first")
        await lines.wait(for: "first")
        for number in 0..<1_500 { log.write(.info, "\(number)") }
        log.write(.error, "the end", isLast: true)
        isRead.signal()
        await lines.wait(for: "the end")
        #expect(lines.all.prefix(3) == ["first", "500 lines of log were lost", "0"])
        #expect(lines.all.suffix(2) == ["999", "the end"])
    }
}
