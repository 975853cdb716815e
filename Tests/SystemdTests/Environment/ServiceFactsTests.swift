import Glibc
import Testing

@testable import Systemd

/// What the manager tells besides the protocols: directories, triggers, and what sort of run this is.
@Suite("ServiceEnvironment, facts of the service")
struct ServiceFactsTests {
    private func read(_ variables: [String: String]) -> ServiceEnvironment {
        ServiceEnvironment(variables: variables, process: ProcessIdentity(pid: 42))
    }

    // MARK: - Directories

    @Test("directories come in the manager's order, each list by itself")
    func directories() {
        let environment = read([
            "RUNTIME_DIRECTORY": "/run/b:/run/a", "STATE_DIRECTORY": "/var/lib/s",
            "CACHE_DIRECTORY": "/var/cache/c",
            "LOGS_DIRECTORY": "/var/log/l:/var/log/m", "CONFIGURATION_DIRECTORY": "/etc/x y",
        ])
        #expect(
            environment.directories
                == ServiceDirectories(
                    runtime: ["/run/b", "/run/a"],
                    state: ["/var/lib/s"],
                    cache: ["/var/cache/c"],
                    logs: ["/var/log/l", "/var/log/m"],
                    configuration: ["/etc/x y"]
                )
        )
        #expect(environment.problems.isEmpty)
    }

    @Test("without directories the lists are empty, and nothing is wrong")
    func noDirectories() {
        let environment = read(["STATE_DIRECTORY": ""])
        #expect(environment.directories == ServiceDirectories())
        #expect(environment.problems.isEmpty)
    }

    @Test(
        "a list with anything but absolute paths is a problem, and empty",
        arguments: ["var/lib", "/a:b", ":/a", "/a:", "/a::/b", ":", "/a\0"],
        [
            "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY",
            "CONFIGURATION_DIRECTORY",
        ]
    )
    func badDirectories(value: String, variable: String) {
        let environment = read([variable: value])
        #expect(environment.directories == ServiceDirectories())
        #expect(
            environment.problems.map(\.description) == [
                "\(variable)=\(value.debugDescription) has what is not an absolute path; "
                    + "expected absolute paths with a colon between two"
            ]
        )
    }

    @Test("an accent after a slash or a colon changes neither")
    func accents() {
        let environment = read(["STATE_DIRECTORY": "/\u{301}a:/b", "CREDENTIALS_DIRECTORY": "/\u{301}"])
        #expect(environment.directories.state == ["/\u{301}a", "/b"])
        #expect(environment.credentials.directory == "/\u{301}")
        #expect(environment.problems.isEmpty)
        #expect(read(["STATE_DIRECTORY": "/a:\u{301}/b"]).problems.map(\.variable) == ["STATE_DIRECTORY"])
    }

    @Test("a problem stays short, however many accents a letter has")
    func monster() throws {
        let value = "a" + String(repeating: "\u{301}", count: 100_000)
        let problem = try #require(read(["STATE_DIRECTORY": value]).problems.first)
        #expect(problem.description.utf8.count < 1000)
        #expect(problem.value == value)
    }

    // MARK: - Triggers

    @Test("a timer tells when it elapsed, on both clocks")
    func timer() {
        let environment = read([
            "TRIGGER_UNIT": "backup.timer", "TRIGGER_TIMER_REALTIME_USEC": "1700000000000001",
            "TRIGGER_TIMER_MONOTONIC_USEC": "5000001",
        ])
        #expect(
            environment.trigger
                == ServiceTrigger(
                    unit: "backup.timer",
                    timeSince1970: .seconds(1_700_000_000) + .microseconds(1),
                    instant: MonotonicInstant(microseconds: 5_000_001)
                )
        )
        #expect(environment.problems.isEmpty)
    }

    @Test("a path unit tells which path")
    func path() {
        let environment = read(["TRIGGER_UNIT": "spool.path", "TRIGGER_PATH": "/var/spool/x"])
        #expect(environment.trigger == ServiceTrigger(unit: "spool.path", path: "/var/spool/x"))
    }

    @Test(
        "without a unit there is no trigger",
        arguments: [[:], ["TRIGGER_UNIT": ""], ["TRIGGER_PATH": "x"]]
    )
    func noTrigger(variables: [String: String]) {
        #expect(read(variables).trigger == nil)
        #expect(read(variables).problems.isEmpty)
    }

    @Test(
        "what a trigger tells wrongly is a problem, and the rest is kept",
        arguments: [
            ("TRIGGER_PATH", "spool"), ("TRIGGER_TIMER_REALTIME_USEC", "-1"),
            ("TRIGGER_TIMER_REALTIME_USEC", "18446744073709551615"), ("TRIGGER_TIMER_MONOTONIC_USEC", "1s"),
        ]
    )
    func badTrigger(variable: String, value: String) {
        let environment = read(["TRIGGER_UNIT": "a.timer", variable: value])
        #expect(environment.trigger == ServiceTrigger(unit: "a.timer"))
        #expect(environment.problems.map(\.variable) == [variable])
    }

    // MARK: - This run

    @Test(
        "a debug invocation is a 1",
        arguments: [
            ("1", true, false), ("0", false, false), ("", false, false), ("yes", false, true),
            ("2", false, true),
        ]
    )
    func debug(value: String, expected: Bool, isWrong: Bool) {
        let environment = read(["DEBUG_INVOCATION": value])
        #expect(environment.isDebugInvocation == expected)
        #expect(environment.problems.map(\.variable) == (isWrong ? ["DEBUG_INVOCATION"] : []))
    }

    @Test("the journal's namespace is taken as it is")
    func namespace() {
        #expect(read(["LOG_NAMESPACE": "web"]).logNamespace == "web")
        #expect(read([:]).logNamespace == nil)
    }

    @Test(
        "the main process is the one that the manager names",
        arguments: [("42", true), ("43", false), ("", false)]
    )
    func mainProcess(pid: String, expected: Bool) {
        #expect(read(["SYSTEMD_EXEC_PID": pid]).isMainProcess == expected)
    }

    @Test("descriptors that are refused leave the rest of what was told")
    func refused() {
        let environment = ServiceEnvironment(
            taking: [
                "LISTEN_PID": "42", "LISTEN_FDS": "1", "STATE_DIRECTORY": "/var/lib/a",
                "TRIGGER_UNIT": "a.socket",
                "CREDENTIALS_DIRECTORY": "/run/credentials/a", "LOG_NAMESPACE": "web", "WATCHDOG_PID": "x",
                "WATCHDOG_USEC": "1",
            ],
            process: ProcessIdentity(pid: 42),
            firstDescriptor: 1_000_000
        )
        #expect(environment.descriptors.isEmpty)
        #expect(environment.directories.state == ["/var/lib/a"])
        #expect(environment.trigger?.unit == "a.socket")
        #expect(environment.credentials.directory == "/run/credentials/a")
        #expect(environment.logNamespace == "web")
        #expect(environment.problems.map(\.variable) == ["WATCHDOG_PID", "LISTEN_FDS"])
    }

    @Test("systemd is booted where its directory is, and a link or a file is none")
    func booted() throws {
        try withTemporaryDirectory { directory in
            #expect(ServiceEnvironment.isDirectory(directory))
            try #require(symlink(directory, "\(directory)/link") == 0)
            #expect(!ServiceEnvironment.isDirectory("\(directory)/link"))
            #expect(!ServiceEnvironment.isDirectory("\(directory)/nothing"))
            #expect(!ServiceEnvironment.isDirectory("/etc/passwd"))
        }
    }

    // MARK: - Any text

    @Test(
        "no line separator of a value gets into a problem's line",
        arguments: ["\u{85}", "\u{2028}", "\u{2029}"]
    )
    func separators(separator: String) throws {
        let problem = try #require(
            read(["TRIGGER_UNIT": "a", "TRIGGER_PATH": "a\(separator)b"]).problems.first
        )
        let code = try String(#require(separator.unicodeScalars.first).value, radix: 16)
        #expect(problem.description.hasPrefix(#"TRIGGER_PATH="a\u{\#(code)}b" is not"#))
    }

    @Test("whatever the variables say, nothing traps, and every problem is one line")
    func anything() {
        var random = RandomText(seed: 5)
        for _ in 0..<300 {
            var variables = Dictionary(uniqueKeysWithValues: Self.variables.map { ($0, random.text()) })
            variables["LISTEN_PID"] = Bool.random(using: &random) ? "42" : random.text()
            let environment = read(variables)
            for problem in environment.problems {
                let isOneLine = !problem.description.contains { $0.isNewline }
                #expect(isOneLine, "\(problem.value.debugDescription)")
            }
        }
    }

    private static let variables = [
        "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
        "INVOCATION_ID", "SYSTEMD_EXEC_PID", "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY",
        "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM",
        "LOG_NAMESPACE",
        "TRIGGER_UNIT", "TRIGGER_PATH", "TRIGGER_TIMER_REALTIME_USEC", "TRIGGER_TIMER_MONOTONIC_USEC",
        "DEBUG_INVOCATION", "REMOTE_ADDR", "REMOTE_PORT", "SO_COOKIE", "SERVICE_RESULT", "EXIT_CODE",
        "EXIT_STATUS", "MONITOR_UNIT", "MONITOR_SERVICE_RESULT", "MONITOR_EXIT_CODE", "MONITOR_INVOCATION_ID",
        "MAINPID", "MAINPIDFDID", "MANAGERPID", "MANAGERPIDFDID",
    ]

    // MARK: - Connections

    @Test("a connection's peer has an address, and a port where there is one")
    func remotePeer() {
        #expect(
            read(["REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711"]).remotePeer
                == RemotePeer(address: "192.0.2.1", port: 4711)
        )
        #expect(read(["REMOTE_ADDR": "/run/client"]).remotePeer == RemotePeer(address: "/run/client"))
        #expect(read(["REMOTE_PORT": "4711"]).remotePeer == nil)
        let numbered = read(["REMOTE_ADDR": "::1", "REMOTE_PORT": "1", "SO_COOKIE": "8193"])
        #expect(numbered.remotePeer == RemotePeer(address: "::1", port: 1, cookie: 8193))
        #expect(RemotePeer(address: "192.0.2.1", port: 4711).description == "192.0.2.1:4711")
        #expect(RemotePeer(address: "2001:db8::1", port: 4711).description == "[2001:db8::1]:4711")
        #expect(RemotePeer(address: "@client").description == "@client")
    }

    @Test(
        "a peer's port that is none is a problem, and the address stays",
        arguments: ["-1", "65536", "http"]
    )
    func remotePort(value: String) {
        let environment = read(["REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": value])
        #expect(environment.remotePeer == RemotePeer(address: "192.0.2.1"))
        #expect(environment.problems.map(\.variable) == ["REMOTE_PORT"])
    }
}
