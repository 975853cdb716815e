import Testing

@testable import Systemd

@Suite("What a command is told of a service that has ended")
struct ServiceOutcomeTests {
    private func read(_ variables: [String: String]) -> ServiceEnvironment {
        ServiceEnvironment(variables: variables, process: ProcessIdentity(pid: 7))
    }

    @Test(
        "a main process exited, or was ended by a signal, with or without a core dump",
        arguments: [
            ("exit-code", "exited", "70", ServiceOutcome(.exitCode, exit: .exited(status: 70))),
            ("success", "exited", "0", ServiceOutcome(.success, exit: .exited(status: 0))),
            ("signal", "killed", "KILL", ServiceOutcome(.signal, exit: .killed(signal: "KILL"))),
            ("core-dump", "dumped", "SEGV", ServiceOutcome(.coreDump, exit: .dumped(signal: "SEGV"))),
            ("something-new", "", "", ServiceOutcome(ServiceResult(rawValue: "something-new"))),
        ]
    )
    func outcome(result: String, code: String, status: String, expected: ServiceOutcome) {
        let variables = ["SERVICE_RESULT": result, "EXIT_CODE": code, "EXIT_STATUS": status]
        let own = read(variables)
        #expect(own.outcome == expected)
        #expect(own.monitoredUnit == nil)
        #expect(own.problems == [])

        var monitored = Dictionary(uniqueKeysWithValues: variables.map { ("MONITOR_\($0)", $1) })
        monitored["MONITOR_UNIT"] = "hello.service"
        monitored["MONITOR_INVOCATION_ID"] = String(repeating: "a1", count: 16)
        let other = read(monitored)
        #expect(
            other.monitoredUnit
                == MonitoredUnit(
                    unit: "hello.service",
                    outcome: expected,
                    invocationID: String(repeating: "a1", count: 16)
                )
        )
        #expect(other.outcome == nil)
        #expect(other.problems == [])
    }

    @Test("without a result the other names are somebody else's")
    func foreign() {
        let environment = read(["EXIT_CODE": "green", "EXIT_STATUS": "very", "MONITOR_EXIT_CODE": "?"])
        #expect(environment.outcome == nil)
        #expect(environment.monitoredUnit == nil)
        #expect(environment.problems == [])
    }

    @Test(
        "what is malformed is a problem, and the result stays",
        arguments: [
            (["EXIT_CODE": "fallen"], "EXIT_CODE"),
            (["EXIT_CODE": "exited", "EXIT_STATUS": "256"], "EXIT_STATUS"),
            (["EXIT_CODE": "exited", "EXIT_STATUS": "TERM"], "EXIT_STATUS"),
            (["EXIT_CODE": "killed"], "EXIT_STATUS"),
        ]
    )
    func malformed(variables: [String: String], wrong: String) {
        let environment = read(variables.merging(["SERVICE_RESULT": "timeout"]) { mine, _ in mine })
        #expect(environment.outcome == ServiceOutcome(.timeout))
        #expect(environment.problems.map(\.variable) == [wrong])
    }

    @Test("the main process and the manager's have an id, and the inode of a pidfd where it is told")
    func processes() {
        let environment = read([
            "MAINPID": "4711", "MAINPIDFDID": "18446744073709551615", "MANAGERPID": "1",
        ])
        #expect(environment.mainProcess == ProcessIdentity(pid: 4711, pidfdInode: .max))
        #expect(environment.managerProcess == ProcessIdentity(pid: 1))
        let wrong = read(["MAINPID": "0", "MANAGERPID": "12", "MANAGERPIDFDID": "x"])
        #expect(wrong.mainProcess == nil)
        #expect(wrong.managerProcess == ProcessIdentity(pid: 12))
        #expect(wrong.problems.map(\.variable) == ["MAINPID", "MANAGERPIDFDID"])
        #expect(read([:]).mainProcess == nil)
    }
}
