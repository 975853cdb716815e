import DaemonKit
import Foundation

/// Children that tell the journal what they have been given, before they count as started.
enum Reports {
    /// The entries have this `MESSAGE_ID`, by which a check finds them.
    static let messageID: UInt128 = 0x5f35_7ffd_b9c4_4e0f_a7f5_d7a5_8d3c_6b1e

    /// One entry of each kind that the journal takes, and lines on standard error.
    static let journal = ChildSpec("reporter") { (child: ChildContext) in
        let journal = Journal()
        try send(
            JournalEntry(
                "one\ntwo <0>three",
                priority: .warning,
                fields: [
                    .syslogIdentifier("reporter"), .errno(ENOENT), .codeFile(), .codeLine(), .codeFunction(),
                    .documentation("man:daemon(7)"),
                    JournalField("several", "first"), JournalField("several", "second"),
                    JournalField("_own-name", "lines\n\nof text\n"),
                    JournalField("bytes", bytes: Array(0...255)),
                ]
            ),
            to: journal
        )
        let mebibyte = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        try send(JournalEntry("large", fields: [JournalField("large", bytes: mebibyte)]), to: journal)
        let most = (2..<JournalEntry.mostFields - 1).map { JournalField("field-\($0)", "\($0)") }
        try send(JournalEntry("many", fields: most), to: journal)
        for priority in JournalPriority.allCases {
            try send(JournalEntry("\(priority)", priority: priority), to: journal)
        }

        let isJournal = ServiceEnvironment.take().journalStream?.isOpen(as: STDERR_FILENO) ?? false
        let text = "first of many\n<0>second\0<1>third\n\(String(repeating: "y", count: 60_000))<2>fourth"
        let lines = isJournal ? JournalPriority.notice.prefixed(text) : "standard error is not the journal"
        FileHandle.standardError.write(Data("\(lines)\n".utf8))
        child.started()
        await child.shutdownRequested()
    }

    /// What the service's environment says, again at each reload.
    static let facts = ChildSpec("reporter") { (child: ChildContext) in
        let environment = ServiceEnvironment.take()
        let journal = Journal()
        try send(
            JournalEntry("facts", fields: fields(of: environment) + startFields(of: environment)),
            to: journal
        )
        child.onReload { try send(JournalEntry("reloaded", fields: fields(of: environment)), to: journal) }
        child.started()
        await child.shutdownRequested()
    }

    private static func send(_ entry: JournalEntry, to journal: Journal) throws {
        var entry = entry
        entry.fields.append(.messageID(messageID))
        let outcome = journal.send(entry)
        guard outcome == .sent, journal.lostCount == 0 else {
            throw Trouble(description: "\(entry.message): \(outcome)", errorNumber: nil)
        }
    }

    private static func fields(of environment: ServiceEnvironment) throws -> [JournalField] {
        let directories = environment.directories
        var fields: [JournalField] = []
        for (name, paths) in [
            ("runtime", directories.runtime), ("state", directories.state), ("cache", directories.cache),
            ("logs", directories.logs), ("configuration", directories.configuration),
        ] {
            fields.append(JournalField(name, paths.joined(separator: " ")))
        }
        let credentials = environment.credentials
        if credentials.directory != nil {
            for name in try credentials.names() {
                fields.append(JournalField("credential", name))
                fields.append(JournalField("credential_\(name)", bytes: try credentials.data(named: name)))
            }
        }
        if let trigger = environment.trigger {
            fields.append(JournalField("trigger", "\(trigger)"))
        }
        fields.append(JournalField("is_main", "\(environment.isMainProcess)"))
        fields.append(JournalField("is_debug", "\(environment.isDebugInvocation)"))
        fields.append(JournalField("is_booted", "\(ServiceEnvironment.isSystemdBooted)"))
        fields.append(JournalField("invocation", environment.invocationID ?? ""))
        fields.append(JournalField("namespace", environment.logNamespace ?? ""))
        fields += environment.problems.map { JournalField("problem", $0.description) }
        return fields
    }

    /// What is said once, for it is used up afterwards, or of no interest to a reload.
    private static func startFields(of environment: ServiceEnvironment) -> [JournalField] {
        var fields = environment.descriptors.map {
            JournalField("descriptor", "\($0.name) \($0.kind) \($0.localAddressDescription ?? "-")")
        }
        for resource in PressureResource.allCases {
            guard let source = environment.pressureSource(for: resource) else { continue }
            let registration = String(decoding: source.registration, as: UTF8.self)
            fields.append(JournalField("pressure_\(resource)", "\(source.path) \(registration)"))
        }
        fields.append(JournalField("is_supervised", "\(environment.isUnderManager)"))
        fields.append(JournalField("watchdog", environment.watchdog.map { "\($0.timeout)" } ?? ""))
        fields.append(JournalField("store", environment.descriptorStoreLimit.map { "\($0)" } ?? ""))
        fields.append(JournalField("trigger_time", environment.trigger?.timeSince1970.map { "\($0)" } ?? ""))
        // What has no type of its own.
        for name in [
            "REMOTE_ADDR", "REMOTE_PORT", "SO_COOKIE", "LISTEN_PIDFDID", "MANAGERPID", "SYSTEMD_EXEC_PID",
        ] {
            if let value = environment.variables[name] {
                fields.append(JournalField("variable_\(name)", value))
            }
        }
        return fields
    }
}
