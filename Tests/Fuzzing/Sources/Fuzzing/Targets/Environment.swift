@testable import Systemd

extension FuzzTarget {
    /// A part is a variable: a name, `=`, a value.
    func attemptEnvironment(_ input: Input) {
        var variables: [String: String] = [:]
        for part in input.parts {
            let sides = part.bytes.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
            let texts = sides.map { String(decoding: $0, as: UTF8.self) }
            if texts.count == 2 { variables[texts[0]] = texts[1] }
        }
        let process = ProcessIdentity(pid: 42, pidfdInode: 7)
        // Where nothing is open: no file of this process's own is touched.
        let first: CInt = 1_000_000
        let environment = ServiceEnvironment(
            variables: variables,
            process: process,
            firstDescriptor: first
        )
        EnvironmentClaims(variables: variables, environment: environment).check()

        guard !environment.descriptorNames.isEmpty else { return }
        let taken = ServiceEnvironment(taking: variables, process: process, firstDescriptor: first)
        claim(taken.descriptors.isEmpty, "descriptors that are not open are refused")
        claim(taken.problems.count == environment.problems.count + 1, "and that is a problem")
        claim(taken.problems.last?.description.isMessage == true, "\(taken.problems)")
    }
}

/// What must hold between variables and what was read in them, said anew.
private struct EnvironmentClaims {
    let variables: [String: String]
    let environment: ServiceEnvironment

    func check() {
        problems()
        numbers()
        descriptors()
        texts()
        pressure()
    }

    /// A variable that is there and not empty.
    private func text(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func number(_ name: String, in range: ClosedRange<UInt64>) -> UInt64? {
        text(name)?.plainNumber.flatMap { range.contains($0) ? $0 : nil }
    }

    private func problems() {
        for problem in environment.problems {
            claim(variables[problem.variable] == problem.value, "a problem has its variable: \(problem)")
            claim(problem.description.isMessage, "a problem is a message: \(problem)")
        }
        let named = environment.problems.map(\.variable)
        claim(Set(named).count == named.count, "a variable is one problem at most: \(named)")
    }

    private func numbers() {
        let isWatched = text("WATCHDOG_PID") == nil || number("WATCHDOG_PID", in: 42...42) != nil
        let timeout = isWatched ? number("WATCHDOG_USEC", in: 1...UInt64.max - 1) : nil
        claim(environment.watchdog?.timeout == timeout.map { .microseconds($0) }, "WATCHDOG_USEC")
        claim((environment.watchdog?.pingInterval ?? .zero) >= .zero, "pingInterval")
        let limit = number("FDSTORE", in: 1...UInt64(UInt32.max)).map { Int($0) }
        claim(environment.descriptorStoreLimit == limit, "FDSTORE")
        claim(
            environment.isDebugInvocation == (number("DEBUG_INVOCATION", in: 1...1) != nil),
            "DEBUG_INVOCATION"
        )
        claim(environment.isMainProcess == (number("SYSTEMD_EXEC_PID", in: 42...42) != nil), "EXEC_PID")
    }

    private func descriptors() {
        let names = environment.descriptorNames
        let isOwn =
            number("LISTEN_PID", in: 42...42) != nil
            && (text("LISTEN_PIDFDID") == nil || number("LISTEN_PIDFDID", in: 7...7) != nil)
        let count = isOwn ? number("LISTEN_FDS", in: 1...1_048_576) : nil
        guard let list = variables["LISTEN_FDNAMES"] else {
            claim(names.count == Int(count ?? 0), "LISTEN_FDS")
            claim(names.first ?? "unknown" == "unknown", "without names they are unknown")
            return
        }
        let told = list.utf8.count { $0 == 0x3A } + 1
        claim(names.count == (Int(count ?? 0) == told ? told : 0), "LISTEN_FDNAMES")
        if !names.isEmpty { claim(names.joined(separator: ":").isSame(as: list), "the names are the list") }
    }

    private func texts() {
        for (name, paths) in [
            ("RUNTIME_DIRECTORY", environment.directories.runtime),
            ("STATE_DIRECTORY", environment.directories.state),
            ("CACHE_DIRECTORY", environment.directories.cache),
            ("LOGS_DIRECTORY", environment.directories.logs),
            ("CONFIGURATION_DIRECTORY", environment.directories.configuration),
        ] {
            claim(paths.allSatisfy { $0.isAbsolutePath && !$0.utf8.contains(0x3A) }, "\(name): \(paths)")
            let isTold = paths.isEmpty || paths.joined(separator: ":").isSame(as: variables[name] ?? "")
            claim(isTold, "the paths are \(name)")
        }
        if let address = environment.notifyAddress {
            claim(address.description.isSame(as: variables["NOTIFY_SOCKET"] ?? ""), "NOTIFY_SOCKET")
        }
        if let id = environment.invocationID {
            claim(
                UInt128(id, radix: 16) != nil && id.utf8.count == 32 && id.utf8.first != 0x2B,
                "INVOCATION_ID"
            )
        }
        if let stream = environment.journalStream {
            let sides = variables["JOURNAL_STREAM"]?.utf8.split(separator: 0x3A).map { String(Substring($0)) }
            claim(sides?.map(\.plainNumber) == [stream.device, stream.inode], "JOURNAL_STREAM")
        }
        if let directory = environment.credentials.directory {
            claim(directory.isAbsolutePath, "CREDENTIALS")
        }
        claim(environment.logNamespace == text("LOG_NAMESPACE"), "LOG_NAMESPACE")
        trigger()
    }

    private func trigger() {
        claim(environment.trigger?.unit == text("TRIGGER_UNIT"), "TRIGGER_UNIT")
        guard let trigger = environment.trigger else { return }
        let path = text("TRIGGER_PATH").flatMap { $0.isAbsolutePath ? $0 : nil }
        claim(trigger.path == path, "TRIGGER_PATH")
        let instants = 0...UInt64.max - 1
        let instant = number("TRIGGER_TIMER_MONOTONIC_USEC", in: instants)
        claim(trigger.instant?.microseconds == instant, "TRIGGER_TIMER_MONOTONIC_USEC")
        let time = number("TRIGGER_TIMER_REALTIME_USEC", in: instants)
        claim(trigger.timeSince1970 == time.map { .microseconds($0) }, "TRIGGER_TIMER_REALTIME_USEC")
    }

    private func pressure() {
        for resource in PressureResource.allCases {
            guard case .source(let source) = environment.pressureSettings[resource] else { continue }
            claim(source.path.isSame(as: variables[resource.watchVariable] ?? ""), "the path is the variable")
            let told = text(resource.writeVariable) ?? ""
            claim(encodeBase64(source.registration).isSame(as: told), "the registration is the variable")
        }
    }
}
