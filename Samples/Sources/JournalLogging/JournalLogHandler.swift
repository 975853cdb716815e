public import Logging
public import Systemd

/// A swift-log back end that writes to systemd's journal, with metadata as fields that `journalctl` can search.
///
/// ```swift
/// LoggingSystem.bootstrap { JournalLogHandler(label: $0) }
/// ```
///
/// `logger[metadataKey: "request-id"] = "a7"` is `REQUEST_ID=a7` in the journal; see `JournalField` for what becomes of
/// a key. The label is `LOGGER`, the level a priority, and where it was logged `CODE_FILE`, `CODE_LINE` and `CODE_FUNC`.
/// Logging never waits for the journal: what it does not take is lost, and counted in `Journal.lostCount`. Where there
/// is no journal, nothing is written: bootstrap with it where `ServiceEnvironment.journalStream` says that standard
/// error is the journal, and with a handler for the terminal elsewhere.
///
/// Small enough to be lifted into your own package.
public struct JournalLogHandler: LogHandler {
    /// What is written with every entry.
    public var metadata: Logger.Metadata = [:]

    /// What adds metadata from the task that logs.
    public var metadataProvider: Logger.MetadataProvider?

    /// The least level that is written.
    public var logLevel = Logger.Level.info

    private let label: String
    private let journal: Journal

    /// Makes a handler; all handlers may share a journal.
    public init(label: String, journal: Journal = Journal(), metadataProvider: Logger.MetadataProvider? = nil)
    {
        self.label = label
        self.journal = journal
        self.metadataProvider = metadataProvider
    }

    /// One value of the metadata that is written with every entry.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an entry.
    public func log(event: LogEvent) {
        var values = metadata
        // What is said at the place of logging counts for more than what the logger or the task says.
        values.merge(metadataProvider?.get() ?? [:]) { _, task in task }
        values.merge(event.metadata ?? [:]) { _, here in here }
        var fields: [JournalField] = [
            JournalField("LOGGER", label), .codeFile(event.file), .codeLine(Int(event.line)),
            .codeFunction(event.function),
        ]
        if let error = event.error { fields.append(JournalField("ERROR", "\(error)")) }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            fields += value.texts.map { JournalField(key, $0) }
        }
        journal.send(JournalEntry("\(event.message)", priority: event.level.priority, fields: fields))
    }
}

extension Logger.MetadataValue {
    /// The value as the journal has it: a list is several values of one field.
    fileprivate var texts: [String] {
        if case .array(let elements) = self { elements.map { "\($0)" } } else { ["\(self)"] }
    }
}

extension Logger.Level {
    /// The journal's counterpart; what is below debug there is debug.
    fileprivate var priority: JournalPriority {
        switch self {
        case .trace, .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
