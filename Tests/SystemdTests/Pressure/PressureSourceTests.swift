import Glibc
import Testing

@testable import Systemd

@Suite("PressureSource")
struct PressureSourceTests {
    private func read(_ variables: [String: String]) -> ServiceEnvironment {
        ServiceEnvironment(variables: variables, process: ProcessIdentity(pid: 42))
    }

    @Test(
        "what the manager names is taken, with what it wants written",
        arguments: [(.memory, "MEMORY"), (.cpu, "CPU"), (.io, "IO")] as [(PressureResource, String)]
    )
    func named(resource: PressureResource, prefix: String) throws {
        let path = "/sys/fs/cgroup/system.slice/a.service/\(resource).pressure"
        var variables = ["\(prefix)_PRESSURE_WATCH": path]
        var environment = read(variables)
        let bare = try #require(environment.pressureSource(for: resource))
        #expect(bare.resource == resource)
        #expect(bare.path == path)
        #expect(bare.registration == [])

        variables["\(prefix)_PRESSURE_WRITE"] = "c29tZSAyMDAwMDAgMjAwMDAwMAA="
        environment = read(variables)
        #expect(environment.pressureSource(for: resource)?.registration == PressureSource.defaultRegistration)
        #expect(environment.problems.isEmpty)
    }

    @Test("/dev/null means that none is watched", arguments: PressureResource.allCases)
    func disabled(resource: PressureResource) {
        let environment = read([resource.watchVariable: "/dev/null", resource.writeVariable: "?"])
        #expect(environment.pressureSource(for: resource) == nil)
        #expect(environment.problems.isEmpty)
    }

    @Test(
        "a malformed source is as if there were none, and says why",
        arguments: [
            ("WATCH", "memory.pressure"), ("WATCH", "./a"), ("WATCH", " /a"),
            ("WATCH", "/" + String(repeating: "a", count: 4095)), ("WRITE", "c29tZQ"), ("WRITE", "some 1 2"),
        ]
    )
    func malformed(suffix: String, value: String) throws {
        let right = ["MEMORY_PRESSURE_WATCH": "/a", "MEMORY_PRESSURE_WRITE": "AA=="]
        let environment = read(right.merging(["MEMORY_PRESSURE_\(suffix)": value]) { $1 })
        #expect(environment.pressureSettings[.memory] == nil)
        #expect(environment.problems.map(\.variable) == ["MEMORY_PRESSURE_\(suffix)"])
        let problem = try #require(environment.problems.first)
        #expect(problem.description.count < 300)
    }

    @Test(
        "a path that is not absolute, too long or has a NUL is refused",
        arguments: ["", "a", "./a", "/a\0b"]
    )
    func paths(path: String) {
        let error = #expect(throws: SystemdError.self) { try PressureSource(.io, path: path) }
        #expect(error?.code == .invalidAddress)
    }

    @Test(
        "without a word from the manager the own group's file is tried first, then the system's",
        arguments: [
            (
                "0::/system.slice/a.service\n",
                [
                    "/sys/fs/cgroup/system.slice/a.service/io.pressure",
                    "/sys/fs/cgroup/unified/system.slice/a.service/io.pressure",
                ]
            ),
            (
                "12:cpu:/x\n1:name=systemd:/y\n0::/\n",
                ["/sys/fs/cgroup/io.pressure", "/sys/fs/cgroup/unified/io.pressure"]
            ),
            ("4:memory:/x\n", []),
            ("0::/../../a\n", []),
            ("0::/a/../\u{301}b\n", []),
            (
                "0::/a\u{601}/\u{301}b\n",
                [
                    "/sys/fs/cgroup/a\u{601}/\u{301}b/io.pressure",
                    "/sys/fs/cgroup/unified/a\u{601}/\u{301}b/io.pressure",
                ]
            ),
            ("0::\n", []),
            ("0::a\n", []),
            ("", []),
        ] as [(String, [String])]
    )
    func ownPaths(cgroups: String, expected: [String]) {
        #expect(PressureSource.paths(for: .io, cgroups: cgroups) == expected + ["/proc/pressure/io"])
    }

    @Test(
        "on a kernel that tells of pressure there is always a source, which can be watched",
        .enabled(if: access("/proc/pressure/memory", R_OK | W_OK) == 0)
    )
    func own() throws {
        let source = try #require(read([:]).pressureSource(for: .memory))
        #expect(source.path.hasSuffix("/memory.pressure") || source.path == "/proc/pressure/memory")
        #expect(source.registration == PressureSource.defaultRegistration)
        _ = try source.events()
    }

    @Test("random text is a source, a problem or nothing")
    func random() {
        var random = RandomText(seed: 3)
        for _ in 0..<1_000 {
            let cgroups = random.text(after: ["0::/", "0::", "1:a:/\n0::/"])
            #expect(PressureSource.paths(for: .cpu, cgroups: cgroups).allSatisfy { $0.hasPrefix("/") })
            let environment = read([
                "IO_PRESSURE_WATCH": random.text(after: ["/", "/dev/null"]),
                "IO_PRESSURE_WRITE": random.text(after: ["Zm9v"]),
            ])
            #expect(environment.problems.isEmpty || environment.pressureSettings[.io] == nil)
        }
    }
}
