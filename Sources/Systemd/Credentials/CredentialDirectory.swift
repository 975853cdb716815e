#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The directory of credentials, open; whoever opens it closes it.
struct CredentialDirectory {
    private let path: String
    private let descriptor: CInt

    init(_ path: String?) throws(SystemdError) {
        guard let path else {
            throw SystemdError(
                .noCredentials,
                "CREDENTIALS_DIRECTORY is not set: the unit has no LoadCredential= or SetCredential="
            )
        }
        // A NUL would end the path where nobody sees it.
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
            throw SystemdError(
                .unreadableCredential,
                "the directory of credentials \(path.quotedForMessage) is not an absolute path"
            )
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .system(
                .unreadableCredential,
                "cannot open the directory of credentials \(path.quotedForMessage)",
                errno: errno
            )
        }
        self.path = path
        self.descriptor = descriptor
    }

    func close() {
        closeDescriptor(descriptor)
    }

    /// The names of its regular files, sorted.
    func names() throws(SystemdError) -> [String] {
        // closedir closes the descriptor too, and reading moves the directory's position.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let number = errno
            if copy >= 0 { closeDescriptor(copy) }
            throw .system(
                .unreadableCredential,
                "cannot list the directory of credentials \(path.quotedForMessage)",
                errno: number
            )
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // In place: an entry is shorter than the type that stands for it.
            let bytes = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let characters = bytes.assumingMemoryBound(to: CChar.self)
            guard isRegularFile(characters), let name = String(validatingCString: characters) else {
                continue
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// The content of one of its files.
    func read(_ name: String) throws(SystemdError) -> [UInt8] {
        guard Self.isName(name) else {
            throw SystemdError(
                .invalidCredentialName,
                "\(name.quotedForMessage) is not a credential's name: 1 to 255 bytes, no / or NUL, not . or .."
            )
        }
        let subject = "credential \(name.quotedForMessage)"
        // O_NONBLOCK: to open a FIFO would wait for a writer.
        let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            let number = errno
            guard number == ENOENT else {
                throw .system(.unreadableCredential, "cannot open \(subject)", errno: number)
            }
            throw SystemdError(
                .unknownCredential,
                "there is no \(subject), \(try alternatives())",
                errno: number
            )
        }
        defer { closeDescriptor(file) }

        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SystemdError(.unreadableCredential, "\(subject) is not a regular file")
        }
        return try readAll(file, subject)
    }

    private func readAll(_ file: CInt, _ subject: String) throws(SystemdError) -> [UInt8] {
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = readDescriptor(file, &block, block.count)
            if count == 0 { return content }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .system(.unreadableCredential, "cannot read \(subject)", errno: errno)
            }
            content += block[..<count]
            guard content.count <= Credentials.largestSize else {
                throw SystemdError(
                    .credentialTooLarge,
                    "\(subject) is larger than \(Credentials.largestSize) bytes, the most for a unit"
                )
            }
        }
    }

    private func isRegularFile(_ name: UnsafePointer<CChar>) -> Bool {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFREG
    }

    private func alternatives() throws(SystemdError) -> String {
        let names = try names()
        guard !names.isEmpty else { return "nor any other" }
        let shown = names.prefix(20).map(\.quotedForMessage).joined(separator: ", ")
        return "only \(shown)" + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    private static func isName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }
}

// Inside a type with a reading of its own the system's is out of reach.
private func readDescriptor(_ descriptor: CInt, _ bytes: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &bytes, count)
}
