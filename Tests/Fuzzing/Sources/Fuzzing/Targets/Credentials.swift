import Glibc
import Systemd

extension FuzzTarget {
    /// The name of a credential, and the content of the one called `changing`.
    func attemptCredentials(_ input: Input) {
        CredentialFiles.shared.attempt(name: input[0].text, content: input[1].bytes)
    }
}

/// A real directory with a credential of each sort in it.
///
/// Who runs the fuzzer removes what is in TMPDIR.
private struct CredentialFiles {
    static let shared = CredentialFiles()

    private static let secret = "a-secret-that-no-error-tells"
    private let directory: String
    private let regular: [String] = ["bytes", "changing", "large", "text"]

    private init() {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        directory = "\(parent)/credentials-\(getpid())"
        mkdir(directory, 0o700)
        Self.write(Array(Self.secret.utf8), to: "\(directory)/text")
        Self.write([0xC3, 0x28] + Array(Self.secret.utf8), to: "\(directory)/bytes")
        Self.write([0x61], to: "\(directory)/changing")
        Self.write([UInt8](repeating: 0x61, count: Credentials.largestSize + 1), to: "\(directory)/large")
        mkdir("\(directory)/directory", 0o700)
        mkfifo("\(directory)/fifo", 0o600)
        symlink("text", "\(directory)/link")
        // What must not be reached from inside.
        Self.write(Array(Self.secret.utf8), to: "\(parent)/outside")
    }

    func attempt(name: String, content: [UInt8]) {
        if !content.isEmpty { Self.write(content, to: "\(directory)/changing") }
        let credentials = Credentials(directory: directory)
        do {
            let data = try credentials.data(named: name)
            claim(["text", "bytes", "changing"].contains(name), "\(name.debugDescription) is a credential")
            claim(name != "changing" || content.isEmpty || data == content, "\(data) is \(content)")
        } catch {
            claim(!["text", "bytes", "changing"].contains(name), "\(name.debugDescription): \(error)")
            claim(error.message.isOneLine && error.message.utf8.count < 20_000, "\(error)")
            claim(!error.message.contains(Self.secret), "\(error)")
            let codes: [SystemdError.Code] = [
                .invalidCredentialName, .unknownCredential, .credentialTooLarge, .unreadableCredential,
            ]
            claim(codes.contains(error.code), "\(error)")
        }
        // Much slower than all the other targets: not both each time.
        guard !content.isEmpty else { return }
        do {
            let text = try credentials.string(named: "changing")
            claim(Array(text.utf8) == content, "\(content) is \(text.debugDescription)")
        } catch {
            claim(error.code == .invalidText && String(validating: content, as: UTF8.self) == nil, "\(error)")
        }
        claim((try? credentials.names()) == regular, "the regular files are the credentials")
    }

    private static func write(_ content: [UInt8], to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        claim(file >= 0, "\(path) opens: \(errno)")
        claim(Glibc.write(file, content, content.count) == content.count, "\(path) takes \(content.count)")
        close(file)
    }
}
