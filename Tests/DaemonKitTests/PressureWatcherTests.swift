import Foundation
import Glibc
import Supervision
import SupervisionTesting
import Systemd
import Testing

@testable import DaemonKit

/// A FIFO as a manager names one, and the end that tells.
private final class PressureFIFO: Sendable {
    let path: String
    let writer: CInt

    init() throws {
        // mkdtemp makes a new directory that nobody else may enter.
        var template = Array("\(NSTemporaryDirectory())/pressure-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/fifo"
        try #require(mkfifo(path, 0o600) == 0)
        // Linux opens a FIFO for both without waiting for anybody.
        writer = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        try #require(writer >= 0)
    }

    deinit {
        close(writer)
        unlink(path)
        rmdir(String(path.dropLast("/fifo".count)))
    }

    func tell() throws {
        try #require(write(writer, "x", 1) == 1)
    }
}

@Suite("PressureWatcher", .timeLimit(.minutes(1)))
struct PressureWatcherTests {
    @Test("each event is told, to one call at a time; what comes during a call is told after it")
    func events() async throws {
        let fifo = try PressureFIFO()
        let facts = Recorder<String>()
        let gate = Gate()
        let trial = try DaemonTrial(variables: ["MEMORY_PRESSURE_WATCH": fifo.path]) {
            Supervisor {
                PressureWatcher(on: .memory) { event in
                    facts.add("\(event.resource)")
                    try await gate.waitUnlessCancelled()
                    facts.add("done")
                }
            }
        }
        try await trial.ready()
        try fifo.tell()
        await facts.wait(for: "memory")
        try fifo.tell()
        #expect(facts.all == ["memory"])
        gate.open()
        await facts.wait(for: "done", count: 2)
        #expect(facts.all == ["memory", "done", "memory", "done"])
        #expect(await trial.stop() == .clean)
    }

    @Test("a stop cancels the call, and no event is told after it")
    func stop() async throws {
        let fifo = try PressureFIFO()
        let facts = Recorder<String>()
        let trial = try DaemonTrial(variables: ["IO_PRESSURE_WATCH": fifo.path]) {
            Supervisor {
                PressureWatcher(on: .io) { _ in
                    facts.add("called")
                    await withTaskCancellationHandler {
                        try? await Gate().waitUnlessCancelled()
                    } onCancel: {
                        facts.add("cancelled")
                    }
                }
            }
        }
        try await trial.ready()
        try fifo.tell()
        await facts.wait(for: "called")
        try fifo.tell()
        #expect(await trial.stop() == .clean)
        #expect(facts.all == ["called", "cancelled"])
    }

    @Test("a call that throws fails the child, and the next copy of it watches again")
    func failing() async throws {
        let fifo = try PressureFIFO()
        let facts = Recorder<String>()
        let below = Probe("below")
        let trial = try DaemonTrial(variables: ["MEMORY_PRESSURE_WATCH": fifo.path]) {
            Supervisor(strategy: .restForOne) {
                PressureWatcher(on: .memory, id: "trim") { _ in
                    facts.add("called")
                    throw InjectedFailure("no cache")
                }
                below
            }
        }
        for count in 1...2 {
            // Started again by then: what comes between two copies is told to neither.
            await below.wait(for: .started, count: count)
            try fifo.tell()
            await facts.wait(for: "called", count: count)
        }
        #expect(await trial.stop() == .clean)
        #expect(trial.log.all.contains("<4>trim failed: no cache"))
    }

    @Test("without a source, or with one that cannot be watched, it says so once and does nothing")
    func nothing() async throws {
        for (watch, reason) in [
            ("/dev/null", "nobody tells when memory is short"),
            ("/nowhere", #"cannot look at the memory pressure source "/nowhere""#),
            ("/tmp", #""/tmp" is neither a pressure file"#),
        ] {
            let worker = Probe("worker")
            let trial = try DaemonTrial(variables: ["MEMORY_PRESSURE_WATCH": watch]) {
                Supervisor(strategy: .oneForAll) {
                    PressureWatcher(on: .memory) { _ in Issue.record("called") }
                    worker
                }
            }
            await worker.wait(for: .started)
            worker.fail(InjectedFailure())
            await worker.wait(for: .started, count: 2)
            #expect(await trial.stop() == .clean)
            let lines = trial.log.all.filter { $0.contains("pressure(memory): watching nothing") }
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("<5>pressure(memory): watching nothing: \(reason)") == true)
        }
    }
}
