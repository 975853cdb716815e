import Glibc
import Testing

@testable import Systemd

/// What ``ServiceEnvironment/take()`` does to a real process: each test has a process of its own.
@Suite("ServiceEnvironment.take")
struct TakeTests {
    @Test("children of the process inherit neither descriptors nor variables")
    func children() async {
        await #expect(processExitsWith: .success) {
            let listener = try TestSocket.inet6Listener()
            try #require(dup2(listener, 200) == 200 && dup2(listener, 201) == 201)
            close(listener)
            setVariables([
                "LISTEN_PID": "\(getpid())", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:https",
                "LISTEN_PIDFDID": "\(try #require(ProcessIdentity.current.pidfdInode))",
                "NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "\(getpid())",
            ])
            let before = try childSees()
            try #require(before.contains("open 200") && before.contains("LISTEN_FDS=2"))

            let environment = ServiceEnvironment.takeNow(firstDescriptor: 200)

            #expect(try childSees() == "end\n")
            #expect(environment.descriptors.map(\.number) == [200, 201])
            #expect(environment.descriptors.map(\.name) == ["http", "https"])
            #expect(environment.descriptors.map(\.kind) == [.streamListener, .streamListener])
            #expect(environment.notifyAddress?.description == "/run/notify")
            #expect(environment.watchdog?.timeout == .seconds(1))
            #expect(environment.problems.isEmpty)
        }
    }

    @Test("a descriptor that is not open spoils the list as a whole")
    func notOpen() async {
        await #expect(processExitsWith: .success) {
            let listener = try TestSocket.inet6Listener()
            try #require(dup2(listener, 200) == 200 && dup2(listener, 202) == 202)
            // Whatever the process was started with.
            close(201)
            setVariables(["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "3", "NOTIFY_SOCKET": "/run/notify"])
            let environment = ServiceEnvironment.takeNow(firstDescriptor: 200)
            #expect(environment.descriptors.isEmpty)
            #expect(environment.notifyAddress != nil)
            #expect(
                environment.problems.map(\.description) == [
                    #"LISTEN_FDS="3" counts descriptor 201, which is not open; expected descriptors 200 to 202 open"#
                ]
            )
        }
    }

    @Test("a count of a million where nothing is open ends at the first")
    func hugeCount() async {
        await #expect(processExitsWith: .success) {
            // Whatever the process was started with.
            close(200)
            setVariables(["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1048576"])
            let environment = ServiceEnvironment.takeNow(firstDescriptor: 200)
            #expect(environment.descriptors.isEmpty)
            #expect(environment.problems.map(\.variable) == ["LISTEN_FDS"])
        }
    }

    @Test("descriptors of another process are left as they are")
    func otherProcess() async {
        await #expect(processExitsWith: .success) {
            let listener = try TestSocket.inet6Listener()
            try #require(dup2(listener, 200) == 200)
            setVariables(["LISTEN_PID": "1", "LISTEN_FDS": "1"])
            #expect(ServiceEnvironment.takeNow(firstDescriptor: 200).descriptors.isEmpty)
            #expect(fcntl(200, F_GETFD) == 0)
        }
    }

    @Test("a second take gives the same snapshot, from another thread too")
    func twice() async {
        await #expect(processExitsWith: .success) {
            setVariables(["NOTIFY_SOCKET": "/run/first"])
            #expect(ServiceEnvironment.take().notifyAddress?.description == "/run/first")
            #expect(getenv("NOTIFY_SOCKET") == nil)
            setVariables(["NOTIFY_SOCKET": "/run/second"])
            let second = await Task.detached { ServiceEnvironment.take() }.value
            #expect(second.notifyAddress?.description == "/run/first")
        }
    }

    @Test("what says that this is a service stays for others to read")
    func stays() async {
        await #expect(processExitsWith: .success) {
            let id = "0123456789abcdef0123456789abcdef"
            setVariables(["INVOCATION_ID": id, "SYSTEMD_EXEC_PID": "\(getpid())"])
            let environment = ServiceEnvironment.take()
            #expect(environment.isUnderManager)
            #expect(environment.invocationID == id)
            #expect(getenv("INVOCATION_ID") != nil && getenv("SYSTEMD_EXEC_PID") != nil)
        }
    }

    @Test("a value begins after the first equals sign, whatever clings to it")
    func values() async {
        await #expect(processExitsWith: .success) {
            setVariables(["NOTIFY_SOCKET": "\u{301}=/run/a", "STATE_DIRECTORY": "/a=b"])
            let environment = ServiceEnvironment.take()
            #expect(environment.variables["NOTIFY_SOCKET"] == "\u{301}=/run/a")
            #expect(environment.directories.state == ["/a=b"])
        }
    }

    @Test("the own identity is the kernel's")
    func identity() {
        let own = ProcessIdentity.current
        #expect(own.pid == getpid())
        // Linux before 6.9 has no pidfs: then there is nothing to compare.
        if let inode = own.pidfdInode { #expect(inode == ProcessIdentity.current.pidfdInode && inode > 0) }
    }
}

private func setVariables(_ variables: [String: String]) {
    for (name, value) in variables { setenv(name, value, 1) }
}

/// What a shell finds of descriptors 200 and 201 and of the protocol's variables, and then "end".
private func childSees() throws -> String {
    let script = """
        for f in 200 201; do [ -e /proc/self/fd/$f ] && echo open $f; done
        env | grep -E '^(LISTEN|NOTIFY|WATCHDOG)_'; echo end
        """
    let pipe = try #require(popen(script, "r"))
    defer { pclose(pipe) }
    var output = ""
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, CInt(line.count), pipe) != nil {
        output += line.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
    return output
}
