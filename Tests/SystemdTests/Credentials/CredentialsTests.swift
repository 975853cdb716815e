import Glibc
import Testing

@testable import Systemd

/// A fresh directory with these files in it, as the manager gives it.
private func withCredentials(
    _ files: [String: [UInt8]],
    _ body: (Credentials, String) throws -> Void
) throws {
    try withTemporaryDirectory { directory in
        for (name, content) in files { try write(content, to: "\(directory)/\(name)") }
        let environment = ServiceEnvironment(variables: ["CREDENTIALS_DIRECTORY": directory])
        try body(environment.credentials, directory)
    }
}

private func write(_ content: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o400)
    try #require(file >= 0)
    defer { close(file) }
    try #require(Glibc.write(file, content, content.count) == content.count)
}

private func failure(_ credentials: Credentials, _ name: String) throws -> SystemdError {
    try #require(#expect(throws: SystemdError.self) { try credentials.data(named: name) })
}

@Suite("Credentials")
struct CredentialsTests {
    @Test("a credential is read whole, as bytes and as text")
    func reading() throws {
        let binary: [UInt8] = [0, 0xFF, 10]
        try withCredentials(["key": binary, "password": Array("grüße\n".utf8), "empty": []]) {
            (credentials, _) throws in
            #expect(try credentials.data(named: "key") == binary)
            #expect(try credentials.string(named: "password") == "grüße\n")
            #expect(try credentials.data(named: "empty").isEmpty)
        }
    }

    @Test("the names are those of regular files, sorted")
    func names() throws {
        try withCredentials(["b": [], "a": [], "c.d": []]) { (credentials, directory) throws in
            try #require(symlink("/etc/hostname", "\(directory)/link") == 0)
            try #require(mkfifo("\(directory)/fifo", 0o600) == 0)
            #expect(try credentials.names() == ["a", "b", "c.d"])
        }
        try withCredentials([:]) { (credentials, _) throws in #expect(try credentials.names().isEmpty) }
    }

    @Test("each reading sees what is there now")
    func rereading() throws {
        try withCredentials(["token": Array("old".utf8)]) { (credentials, directory) throws in
            try #require(credentials.string(named: "token") == "old")
            try write(Array("newer".utf8), to: "\(directory)/token")
            #expect(try credentials.string(named: "token") == "newer")
            try #require(unlink("\(directory)/token") == 0)
            #expect(try failure(credentials, "token").code == .unknownCredential)
        }
    }

    @Test("without credentials every question says that there are none")
    func none() throws {
        let credentials = ServiceEnvironment(variables: [:]).credentials
        #expect(credentials.directory == nil)
        let expected = SystemdError(
            .noCredentials,
            "CREDENTIALS_DIRECTORY is not set: the unit has no LoadCredential= or SetCredential="
        )
        #expect(throws: expected) { try credentials.names() }
        #expect(throws: expected) { try credentials.data(named: "a") }
        #expect(throws: expected) { try credentials.string(named: "a") }
    }

    @Test("an unknown name is an error with the names that there are")
    func unknown() throws {
        try withCredentials(["b": [], "a": []]) { (credentials, _) throws in
            let error = try failure(credentials, "c")
            #expect(error.code == .unknownCredential)
            #expect(error.message == #"there is no credential "c", only "a", "b""#)
        }
        try withCredentials([:]) { (credentials, _) throws in
            #expect(try failure(credentials, "c").message == #"there is no credential "c", nor any other"#)
        }
        let many = Dictionary(uniqueKeysWithValues: (10..<35).map { ("\($0)", [UInt8]()) })
        try withCredentials(many) { (credentials, _) throws in
            #expect(try failure(credentials, "c").message.hasSuffix(#""29" and 5 more"#))
        }
    }

    @Test(
        "a name that could leave the directory is refused",
        arguments: [
            "", ".", "..", "/", "/etc/passwd", "../secret", "a/b", "a/", "a\0", "\0",
            String(repeating: "x", count: 256),
        ]
    )
    func escaping(name: String) throws {
        try withCredentials(["a": []]) { (credentials, _) throws in
            let error = try failure(credentials, name)
            #expect(error.code == .invalidCredentialName)
            #expect(
                error.message.hasSuffix(
                    "is not a credential's name: 1 to 255 bytes, no / or NUL, not . or .."
                )
            )
        }
    }

    @Test("a name of 255 bytes is a name")
    func longName() throws {
        let name = String(repeating: "x", count: 255)
        try withCredentials([name: [1]]) { (credentials, _) throws in
            #expect(try credentials.data(named: name) == [1])
        }
    }

    @Test("what is not a regular file is not read, and nothing waits for it")
    func otherFiles() throws {
        try withCredentials([:]) { (credentials, directory) throws in
            try #require(symlink("/etc/passwd", "\(directory)/link") == 0)
            try #require(mkfifo("\(directory)/fifo", 0o600) == 0)
            try #require(mkdir("\(directory)/directory", 0o700) == 0)
            defer { rmdir("\(directory)/directory") }
            let link = try failure(credentials, "link")
            #expect(link.code == .unreadableCredential && link.errno == ELOOP)
            for name in ["fifo", "directory"] {
                let error = try failure(credentials, name)
                #expect(error.code == .unreadableCredential)
                #expect(error.message == #"credential "\#(name)" is not a regular file"#)
            }
        }
    }

    @Test("a credential of the greatest size is read, one byte more is an error")
    func size() throws {
        let most = [UInt8](repeating: 7, count: Credentials.largestSize)
        try withCredentials(["most": most, "more": most + [7]]) { (credentials, _) throws in
            #expect(try credentials.data(named: "most") == most)
            let error = try failure(credentials, "more")
            #expect(error.code == .credentialTooLarge)
            #expect(error.message == #"credential "more" is larger than 1048576 bytes, the most for a unit"#)
        }
    }

    @Test("bytes that are not UTF-8 are no text, and no error shows them")
    func notText() throws {
        try withCredentials(["key": Array("secret".utf8) + [0xFF]]) { (credentials, _) throws in
            let error = try #require(
                #expect(throws: SystemdError.self) { try credentials.string(named: "key") }
            )
            #expect(error.code == .invalidText)
            #expect(error.message == #"credential "key" is not UTF-8; read it as bytes"#)
        }
    }

    @Test("a directory that is not there, or is none, is an error that names it")
    func noDirectory() throws {
        for (path, number) in [("/nonexistent", ENOENT), ("/etc/passwd", ENOTDIR)] {
            let error = try failure(Credentials(directory: path), "a")
            #expect(error.code == .unreadableCredential && error.errno == number)
            #expect(error.message.hasPrefix("cannot open the directory of credentials \"\(path)\": "))
        }
        for path in ["relative", "", "/tmp\0/x"] {
            let error = try failure(Credentials(directory: path), "a")
            #expect(error.code == .unreadableCredential)
            #expect(error.message.hasSuffix("is not an absolute path"))
        }
    }

    @Test("a variable that is no absolute path is a problem, and there are no credentials")
    func badVariable() {
        let environment = ServiceEnvironment(variables: ["CREDENTIALS_DIRECTORY": "run/credentials"])
        #expect(environment.credentials.directory == nil)
        #expect(
            environment.problems.map(\.description) == [
                #"CREDENTIALS_DIRECTORY="run/credentials" is not an absolute path; expected a path that begins with /"#
            ]
        )
    }

    @Test("whatever the name, nothing outside the directory is read")
    func anyName() throws {
        var random = RandomText(seed: 4)
        try withCredentials(["a": []]) { (credentials, _) throws in
            for _ in 0..<300 {
                let name = random.text()
                #expect(throws: SystemdError.self, "\(name.debugDescription)") {
                    if try credentials.data(named: name).isEmpty, name == "a" {
                        throw SystemdError(.unknownCredential, "the one that is there")
                    }
                }
            }
        }
    }

    @Test("no descriptor is left open, whatever the question")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            try withCredentials(["a": [0xFF], "large": Array(repeating: 0, count: 2 << 20)]) {
                (credentials, directory) throws in
                try #require(mkfifo("\(directory)/fifo", 0o600) == 0)
                _ = try credentials.names()
                _ = try credentials.data(named: "a")
                for name in ["a", "b", "large", "fifo", ".."] { _ = try? credentials.string(named: name) }
                #expect(openFiles(directory).isEmpty)
            }
        }
    }
}
