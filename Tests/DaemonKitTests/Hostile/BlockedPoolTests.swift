import DaemonKit
import Foundation
import SupervisionTesting
import Testing

#if os(Linux)
    /// With real processes, for a test whose own pool is blocked would not go on either.
    @Suite("Daemon: a child blocks every thread of the cooperative pool", .timeLimit(.minutes(1)))
    struct BlockedPoolTests {
        private let stuck = "no task can run, every thread of the cooperative pool is blocked"

        @Test("a stop that nobody can be told of ends the process, and says who runs")
        func running() async throws {
            let daemon = try FixtureProcess("blocked-while-running")
            await daemon.said.wait(for: "blocked")
            daemon.signal(SIGTERM)
            #expect(await daemon.exitStatus == ExitCode.childrenAbandoned.rawValue)
            #expect(
                daemon.said.all.suffix(2) == [
                    "SIGTERM: stopping",
                    "\(stuck): not yet told to stop: \"first\", \"inner/blocker\", \"last\"",
                ]
            )
        }

        @Test("so does one during the start")
        func starting() async throws {
            let daemon = try FixtureProcess("blocked-while-starting")
            await daemon.said.wait(for: "blocked")
            daemon.signal(SIGINT)
            #expect(await daemon.exitStatus == ExitCode.childrenAbandoned.rawValue)
            #expect(daemon.said.all.last?.hasPrefix(stuck) == true)
        }

        @Test("a child that does it when it is told to stop is named, and the manager is told as well")
        func stopping() async throws {
            let manager = try FakeServiceManager()
            let daemon = try FixtureProcess("blocked-while-stopping", variables: manager.variables)
            await daemon.said.wait(for: "up")
            daemon.signal(SIGTERM)
            #expect(await daemon.exitStatus == ExitCode.childrenAbandoned.rawValue)
            let blame = "\(stuck): still being stopped: \"inner/blocker\": not yet told to stop: \"first\""
            #expect(daemon.said.all.last == blame)
            let lines = manager.received.flatMap(\.lines)
            #expect(lines.contains("STOPPING=1"))
            #expect(lines.last == "STATUS=\(blame)")
        }

        @Test("one that lets go of the threads within its time is stopped as ever, without an alarm")
        func inTime() async throws {
            let daemon = try FixtureProcess("blocked-patiently")
            await daemon.said.wait(for: "blocked")
            daemon.signal(SIGTERM)
            await daemon.said.wait(for: "SIGTERM: stopping")
            try daemon.endInput()
            #expect(await daemon.exitStatus == ExitCode.clean.rawValue)
            #expect(!daemon.said.all.contains { $0.hasPrefix(stuck) })
        }

        @Test("a second signal still ends it at once, and says so")
        func secondSignal() async throws {
            let daemon = try FixtureProcess("blocked-patiently")
            await daemon.said.wait(for: "blocked")
            daemon.signal(SIGTERM)
            await daemon.said.wait(for: "SIGTERM: stopping")
            daemon.signal(SIGTERM)
            #expect(await daemon.exitStatus == 128 + SIGTERM)
            #expect(daemon.said.all.last == "SIGTERM came while stopping: ending at once")
        }
    }
#endif
