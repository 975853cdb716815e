import Systemd
import Testing

@Suite("ServiceEnvironment")
struct ServiceEnvironmentTests {
    private let own = ProcessIdentity(pid: 42, pidfdInode: 7)

    private func read(_ variables: [String: String]) -> ServiceEnvironment {
        ServiceEnvironment(variables: variables, process: own, firstDescriptor: 1_000_000)
    }

    private func listening(_ more: [String: String]) -> ServiceEnvironment {
        read(["LISTEN_PID": "42"].merging(more) { $1 })
    }

    // MARK: - Nothing told

    @Test("without variables nothing is told and nothing is wrong")
    func empty() {
        let environment = read([:])
        #expect(environment.notifyAddress == nil)
        #expect(environment.watchdog == nil)
        #expect(environment.descriptors.isEmpty)
        #expect(environment.invocationID == nil)
        #expect(!environment.isUnderManager)
        #expect(environment.problems.isEmpty)
    }

    @Test("an empty variable says nothing and is not wrong")
    func emptyText() {
        let environment = read([
            "LISTEN_PID": "", "LISTEN_FDS": "", "NOTIFY_SOCKET": "", "WATCHDOG_USEC": "", "INVOCATION_ID": "",
        ])
        #expect(!environment.isUnderManager)
        #expect(environment.watchdog == nil)
        #expect(environment.problems.isEmpty)
    }

    // MARK: - Descriptors

    @Test(
        "names and numbers follow the manager's order",
        arguments: [
            ("1", nil, ["unknown"]),
            ("3", nil, ["unknown", "unknown", "unknown"]),
            ("2", "http:https", ["http", "https"]),
            ("3", "quic:http:https", ["quic", "http", "https"]),
            ("2", "http:http", ["http", "http"]),
            ("3", "a::", ["a", "", ""]),
            ("1", "", [""]),
            ("01", "a", ["a"]),
        ] as [(String, String?, [String])]
    )
    func names(count: String, list: String?, expected: [String]) {
        var variables = ["LISTEN_FDS": count]
        variables["LISTEN_FDNAMES"] = list
        let environment = listening(variables)
        #expect(environment.descriptors.map(\.name) == expected)
        #expect(environment.descriptors.map(\.number) == expected.indices.map { CInt(1_000_000 + $0) })
        #expect(environment.problems.isEmpty)
        #expect(environment.isUnderManager)
    }

    @Test("the protocol's first descriptor is 3")
    func firstDescriptor() {
        let environment = ServiceEnvironment(
            variables: ["LISTEN_PID": "42", "LISTEN_FDS": "2"],
            process: own
        )
        #expect(environment.descriptors.map(\.number) == [3, 4])
    }

    @Test("a first descriptor at the end of all numbers does not trap")
    func lastDescriptor() {
        let environment = ServiceEnvironment(
            variables: ["LISTEN_PID": "42", "LISTEN_FDS": "2"],
            process: own,
            firstDescriptor: .max
        )
        #expect(environment.descriptors.map(\.kind) == [.notOpen, .notOpen])
    }

    @Test(
        "descriptors of another process are not ours, and nothing is wrong",
        arguments: [
            ["LISTEN_FDS": "1"],
            ["LISTEN_FDS": "1", "LISTEN_PID": ""],
            ["LISTEN_FDS": "1", "LISTEN_PID": "43"],
            ["LISTEN_FDS": "nonsense", "LISTEN_PID": "43"],
            ["LISTEN_FDS": "1", "LISTEN_PID": "42", "LISTEN_PIDFDID": "8"],
        ]
    )
    func otherProcess(variables: [String: String]) {
        let environment = read(variables)
        #expect(environment.descriptors.isEmpty)
        #expect(!environment.isUnderManager)
        #expect(environment.problems.isEmpty)
    }

    @Test("LISTEN_PIDFDID is compared where the own inode is known")
    func pidfd() {
        let variables = ["LISTEN_FDS": "1", "LISTEN_PID": "42", "LISTEN_PIDFDID": "7"]
        #expect(read(variables).descriptors.count == 1)
        let other = ProcessIdentity(pid: 42, pidfdInode: 8)
        #expect(ServiceEnvironment(variables: variables, process: other).descriptors.isEmpty)
        let unknown = ProcessIdentity(pid: 42, pidfdInode: nil)
        #expect(ServiceEnvironment(variables: variables, process: unknown).descriptors.count == 1)
    }

    @Test(
        "a malformed descriptor variable means no descriptors, and says why",
        arguments: [
            ("LISTEN_FDS", "0"), ("LISTEN_FDS", "-1"), ("LISTEN_FDS", "+1"), ("LISTEN_FDS", " 1"),
            ("LISTEN_FDS", "1 "), ("LISTEN_FDS", "1\n"), ("LISTEN_FDS", "1x"), ("LISTEN_FDS", "0x1"),
            ("LISTEN_FDS", "1.0"), ("LISTEN_FDS", "١"), ("LISTEN_FDS", "2147483645"),
            ("LISTEN_FDS", "1048577"),
            ("LISTEN_FDS", "18446744073709551617"), ("LISTEN_FDS", String(repeating: "9", count: 10_000)),
            ("LISTEN_FDS", "\u{1B}[31m"),
            ("LISTEN_PID", "0"), ("LISTEN_PID", "-42"), ("LISTEN_PID", "42 "), ("LISTEN_PID", "4294967338"),
            ("LISTEN_PIDFDID", "x"), ("LISTEN_PIDFDID", "0"),
            ("LISTEN_FDNAMES", "a:b"), ("LISTEN_FDNAMES", "a:b:c:d"), ("LISTEN_FDNAMES", ""),
        ]
    )
    func malformed(variable: String, value: String) throws {
        let right = ["LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "a:b:c", "LISTEN_PIDFDID": "7"]
        try #require(read(right).descriptors.count == 3)
        let environment = read(right.merging([variable: value]) { $1 })
        #expect(environment.descriptors.isEmpty)
        #expect(environment.problems.map(\.variable) == [variable])
        let problem = try #require(environment.problems.first)
        #expect(problem.value == value)
        #expect(!problem.description.contains { $0.isNewline || $0 == "\u{1B}" })
        #expect(problem.description.count < 300)
    }

    @Test("a problem names the variable, its value, what is wrong and what would be right")
    func problemText() {
        #expect(
            listening(["LISTEN_FDS": "-1"]).problems.first?.description
                == #"LISTEN_FDS="-1" is not a plain number; expected a count of descriptors: decimal digits alone, 1 to 1048576"#
        )
        #expect(
            listening(["LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"]).problems.first?.description
                == #"LISTEN_FDNAMES="a" has 1 names where LISTEN_FDS is 2; expected 2 names with a colon between two"#
        )
    }

    // MARK: - Notification and watchdog

    @Test("an address to notify is taken")
    func notify() throws {
        let environment = read(["NOTIFY_SOCKET": "@systemd"])
        #expect(try environment.notifyAddress == NotifyAddress("@systemd"))
        #expect(environment.isUnderManager)
    }

    @Test("an address that cannot be one is a problem", arguments: ["notify", "vsock:2", "/", "@"])
    func badAddress(text: String) {
        let environment = read(["NOTIFY_SOCKET": text])
        #expect(environment.notifyAddress == nil)
        #expect(environment.problems.map(\.variable) == ["NOTIFY_SOCKET"])
    }

    @Test(
        "a watchdog counts when it names nobody or this process",
        arguments: [
            (["WATCHDOG_USEC": "30000000"], .seconds(30)),
            (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "42"], .microseconds(1)),
            (["WATCHDOG_USEC": "1", "WATCHDOG_PID": ""], .microseconds(1)),
            (["WATCHDOG_USEC": "1", "WATCHDOG_PID": "43"], nil),
            (["WATCHDOG_PID": "42"], nil),
        ] as [([String: String], Duration?)]
    )
    func watchdog(variables: [String: String], timeout: Duration?) {
        let environment = read(variables)
        #expect(environment.watchdog?.timeout == timeout)
        #expect(environment.watchdog?.pingInterval == timeout.map { $0 / 2 })
        #expect(environment.problems.isEmpty)
    }

    @Test("the longest watchdog does not overflow")
    func longestWatchdog() {
        let environment = read(["WATCHDOG_USEC": "18446744073709551614"])
        #expect(environment.watchdog?.timeout == .seconds(18_446_744_073_709) + .microseconds(551_614))
    }

    @Test(
        "a malformed watchdog is none, and says why",
        arguments: [
            ("WATCHDOG_USEC", "0"), ("WATCHDOG_USEC", "-1"), ("WATCHDOG_USEC", "1s"),
            ("WATCHDOG_USEC", "18446744073709551615"), ("WATCHDOG_USEC", "18446744073709551616"),
            ("WATCHDOG_PID", "self"), ("WATCHDOG_PID", "0"),
        ]
    )
    func malformedWatchdog(variable: String, value: String) {
        let environment = read(["WATCHDOG_USEC": "1000"].merging([variable: value]) { $1 })
        #expect(environment.watchdog == nil)
        #expect(environment.problems.map(\.variable) == [variable])
    }

    // MARK: - Descriptor store

    @Test(
        "the room for descriptors is what the manager says",
        arguments: [(nil, nil), ("", nil), ("1", 1), ("4294967295", 4_294_967_295)] as [(String?, Int?)]
    )
    func store(value: String?, limit: Int?) {
        var variables: [String: String] = [:]
        variables["FDSTORE"] = value
        #expect(read(variables).descriptorStoreLimit == limit)
        #expect(read(variables).problems.isEmpty)
    }

    @Test("a malformed room is none told, and says why", arguments: ["0", "-1", "1 ", "x", "4294967296"])
    func malformedStore(value: String) {
        let environment = read(["FDSTORE": value])
        #expect(environment.descriptorStoreLimit == nil)
        #expect(environment.problems.map(\.variable) == ["FDSTORE"])
    }

    // MARK: - Being a service

    @Test(
        "an invocation makes a service of its main process alone",
        arguments: [("42", true), ("43", false), (nil, false)] as [(String?, Bool)]
    )
    func invocation(pid: String?, expected: Bool) {
        let id = "0123456789abcdef0123456789abcdef"
        var variables = ["INVOCATION_ID": id]
        variables["SYSTEMD_EXEC_PID"] = pid
        let environment = read(variables)
        #expect(environment.invocationID == id)
        #expect(environment.isUnderManager == expected)
    }

    @Test("SYSTEMD_EXEC_PID alone makes no service")
    func execPid() {
        #expect(!read(["SYSTEMD_EXEC_PID": "42"]).isUnderManager)
    }

    @Test(
        "what is no id is a problem",
        arguments: ["0123", "0123456789abcdef0123456789abcdeg", "ａａａａａａａａａａaa"]
    )
    func badInvocation(id: String) {
        let environment = read(["INVOCATION_ID": id])
        #expect(environment.invocationID == nil)
        #expect(environment.problems.map(\.variable) == ["INVOCATION_ID"])
    }
}
