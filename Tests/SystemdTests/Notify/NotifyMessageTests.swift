import SupervisionTesting
import Systemd
import Testing

@Suite("NotifyMessage")
struct NotifyMessageTests {
    @Test(
        "each message is its variable",
        arguments: [
            (.ready, "READY=1"),
            (.stopping, "STOPPING=1"),
            (.reloading(at: MonotonicInstant(microseconds: 12_345)), "RELOADING=1\nMONOTONIC_USEC=12345"),
            (.status("serving"), "STATUS=serving"),
            (.status(""), "STATUS="),
            (.watchdog, "WATCHDOG=1"),
            (.watchdogTrigger, "WATCHDOG=trigger"),
            (.watchdogTimeout(.seconds(20)), "WATCHDOG_USEC=20000000"),
            (.extendTimeout(by: .milliseconds(1500)), "EXTEND_TIMEOUT_USEC=1500000"),
            (.errno(2), "ERRNO=2"),
            (.mainProcess(4711), "MAINPID=4711"),
            (.mainProcess(ProcessIdentity(pid: 4711, pidfdInode: 99)), "MAINPID=4711\nMAINPIDFDID=99"),
            (.mainProcess(ProcessIdentity(pid: 4711)), "MAINPID=4711"),
            (.exitStatus(1), "EXIT_STATUS=1"),
            (.notifyAccess(.none), "NOTIFYACCESS=none"),
            (.notifyAccess(.main), "NOTIFYACCESS=main"),
            (.notifyAccess(.exec), "NOTIFYACCESS=exec"),
            (.notifyAccess(.all), "NOTIFYACCESS=all"),
            (.restartReset, "RESTART_RESET=1"),
        ] as [(NotifyMessage, String)]
    )
    func encoding(message: NotifyMessage, expected: String) {
        #expect(message.bytes == Array(expected.utf8))
        #expect(message.description == expected)
    }

    @Test("joined messages keep their order, with a newline between two")
    func joined() {
        let message: NotifyMessage = .ready + .status("up") + .extendTimeout(by: .seconds(1))
        #expect(message.bytes == Array("READY=1\nSTATUS=up\nEXTEND_TIMEOUT_USEC=1000000".utf8))
    }

    @Test(
        "durations are whole microseconds, rounded up and bounded",
        arguments: [
            (.zero, "0"),
            (.seconds(-1), "0"),
            (.nanoseconds(-1), "0"),
            (.nanoseconds(1), "1"),
            (.nanoseconds(1000), "1"),
            (.nanoseconds(1001), "2"),
            (.seconds(9_223_372_036_854), "9223372036854000000"),
            (.seconds(9_223_372_036_855), "9223372036854775807"),
            (.seconds(Int64.max), "9223372036854775807"),
        ] as [(Duration, String)]
    )
    func durations(duration: Duration, expected: String) {
        #expect(NotifyMessage.extendTimeout(by: duration).description == "EXTEND_TIMEOUT_USEC=\(expected)")
        #expect(NotifyMessage.watchdogTimeout(duration).description == "WATCHDOG_USEC=\(expected)")
    }

    @Test("a reload begins between two readings of the clock")
    func reloading() throws {
        let before = MonotonicInstant.now
        let message = NotifyMessage.reloading().description
        let after = MonotonicInstant.now
        let prefix = "RELOADING=1\nMONOTONIC_USEC="
        try #require(message.hasPrefix(prefix))
        let microseconds = try #require(UInt64(message.dropFirst(prefix.count)))
        #expect((before...after).contains(MonotonicInstant(microseconds: microseconds)))
    }

    @Test("a variable of one's own is sent as it is", arguments: ["", "a=b", "ä\tö", " "])
    func variable(value: String) throws {
        #expect(try NotifyMessage.variable("X_MY_2", value).bytes == Array("X_MY_2=\(value)".utf8))
    }

    @Test(
        "a backslash is sent twice, and the manager reads one: nothing that follows is lost",
        arguments: [#"C:\"#, #"\"#, #"a\b"#, #"\\"#, #"\"# + "\u{301}"]
    )
    func backslash(value: String) throws {
        let message: NotifyMessage = try .variable("X_A", value) + .ready
        let doubled = value.unicodeScalars.map { $0 == "\\" ? #"\\"# : String($0) }.joined()
        #expect(message.bytes == Array("X_A=\(doubled)\nREADY=1".utf8))
        #expect(message.description == "X_A=\(value)\nREADY=1")
        let received = ReceivedNotification(bytes: message.bytes)
        #expect(received["X_A"] == value)
        #expect(received["READY"] == "1")
    }

    @Test(
        "what is no variable name is refused",
        arguments: ["", "2X", "x", "X-Y", "X=Y", "X\nREADY", "Ä", "X "]
    )
    func variableName(name: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyMessage.variable(name, "1") }
        #expect(error?.code == .invalidVariable)
        #expect(error?.message.contains("\n") == false)
    }

    @Test(
        "a value with a newline, a carriage return or a NUL is refused",
        arguments: ["a\nREADY=1", "\n", "a\0", "a\r\nREADY=1", "a\rREADY=1", "a\r"]
    )
    func variableValue(value: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyMessage.variable("X_A", value) }
        #expect(error?.code == .invalidVariable)
        #expect(error?.message.contains("X_A") == true)
    }

    @Test("variables that go with a descriptor are refused", arguments: ["FDSTORE", "BARRIER", "MAINPIDFD"])
    func descriptorVariables(name: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyMessage.variable(name, "1") }
        #expect(error?.code == .invalidVariable)
    }

    @Test("a D-Bus error name is sent", arguments: ["org.freedesktop.DBus.Error.TimedOut", "a._b2"])
    func busError(name: String) throws {
        #expect(try NotifyMessage.busError(name).description == "BUSERROR=\(name)")
    }

    @Test(
        "what is no D-Bus error name is refused",
        arguments: [
            "", "TimedOut", "a.", ".a", "a..b", "a.2b", "a.b c", "a.b\nREADY=1", "a.ä", "a.b-c", "a.[", "a.{",
        ]
    )
    func badBusError(name: String) {
        #expect(throws: SystemdError.self) { try NotifyMessage.busError(name) }
    }

    @Test(
        "a Varlink error name is sent",
        arguments: ["org.varlink.service.MethodNotFound", "io.systemd.X", "a-b.2-c.E1"]
    )
    func varlinkError(name: String) throws {
        #expect(try NotifyMessage.varlinkError(name).description == "VARLINKERROR=\(name)")
    }

    @Test(
        "what is no Varlink error name is refused",
        arguments: [
            "", "X", "a.X", "a.b.c", "a.b.", ".a.X", "a..X", "2a.b.X", "a.-b.X", "a.b-.X", "a.b.X_Y",
            "a.b.X\nREADY=1", "ä.b.X", "a.b.X ", "a.b.\u{D0}", "a.b.X" + String(repeating: "x", count: 255),
        ]
    )
    func badVarlinkError(name: String) {
        let error = #expect(throws: SystemdError.self) { try NotifyMessage.varlinkError(name) }
        #expect(error?.code == .invalidVariable)
    }
}
