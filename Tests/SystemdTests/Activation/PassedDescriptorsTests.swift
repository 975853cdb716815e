import Glibc
import Systemd
import Testing

@Suite("PassedDescriptors")
struct PassedDescriptorsTests {
    /// Two listeners named `http`, one named `https`, a datagram socket named `quic`.
    private func withFour<Result>(
        _ body: (PassedDescriptors, [CInt]) throws -> Result
    ) throws -> Result {
        let numbers = [
            try TestSocket.inet6Listener(), try TestSocket.inetDatagram(),
            try TestSocket.inet6Listener(), try TestSocket.inet6Listener(),
        ]
        let names = ["http", "quic", "https", "http"]
        let passed = PassedDescriptors(zip(numbers, names).map { PassedDescriptor(number: $0, name: $1) })
        // Masters that the body left.
        defer { for descriptor in passed.all { close(descriptor.number) } }
        return try body(passed, numbers)
    }

    private func address(_ descriptor: CInt) -> String? {
        PassedDescriptor(number: descriptor).localAddressDescription
    }

    @Test("every descriptor of a name is duplicated, in order, and close-on-exec")
    func several() throws {
        try withFour { passed, numbers in
            let http = try passed.duplicates(named: "http", as: .streamListener)
            defer { for descriptor in http { close(descriptor) } }
            #expect(http.map(address) == [address(numbers[0]), address(numbers[3])])
            #expect(Set(http).isDisjoint(with: numbers))
            #expect(http.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
        }
    }

    @Test("a name that nobody has gives nothing")
    func unknown() throws {
        try withFour { passed, _ in
            let none = try passed.duplicates(named: "smtp", as: .streamListener)
            #expect(none.isEmpty)
            #expect(passed.unclaimed.count == 4)
        }
    }

    @Test("asking again, after the duplicate was closed, gives the same socket")
    func again() throws {
        try withFour { passed, numbers in
            for _ in 0..<3 {
                let https = try passed.duplicates(named: "https", as: .streamListener)
                try #require(https.count == 1)
                #expect(address(https[0]) == address(numbers[2]))
                close(https[0])
            }
            #expect(PassedDescriptor(number: numbers[2]).kind == .streamListener)
        }
    }

    @Test("a descriptor of another kind is an error that names all, and claims nothing")
    func wrongKind() throws {
        try withFour { passed, numbers in
            let error = #expect(throws: SystemdError.self) {
                try passed.duplicates(named: "quic", as: .streamListener)
            }
            let found = try #require(address(numbers[1]))
            #expect(error?.code == .wrongKind)
            #expect(
                error?.message
                    == #"descriptor \#(numbers[1]) "quic" (datagram, \#(found)) should be a stream listener; change the socket unit's Listen…= or the name"#
            )
            #expect(passed.unclaimed.count == 4)
        }
    }

    @Test("what is claimed stays open when the rest is closed")
    func unclaimed() throws {
        try withFour { passed, numbers in
            for descriptor in try passed.duplicates(named: "http", as: .streamListener) { close(descriptor) }
            #expect(passed.unclaimed.map(\.name) == ["quic", "https"])
            #expect(passed.closeUnclaimed().map(\.number) == [numbers[1], numbers[2]])
            #expect(passed.all.map(\.number) == [numbers[0], numbers[3]])
            #expect(passed.unclaimed.isEmpty && passed.closeUnclaimed().isEmpty)
            #expect(try passed.duplicates(named: "quic", as: .datagram).isEmpty)
        }
    }

    @Test("closing the unclaimed really closes them")
    func reallyCloses() throws {
        let (one, other) = try TestSocket.pair(SOCK_STREAM)
        defer { close(other) }
        let passed = PassedDescriptors([PassedDescriptor(number: one)])
        passed.closeUnclaimed()
        var byte: UInt8 = 0
        // A child that another test is just starting may hold a copy for a moment.
        var watched = pollfd(fd: other, events: Int16(POLLIN), revents: 0)
        let isReadable = poll(&watched, 1, 60_000) == 1
        try #require(isReadable)
        let count = recv(other, &byte, 1, CInt(MSG_DONTWAIT))
        // The end of the stream: nobody has the other end open.
        #expect(count == 0)
    }

    @Test("a service with one listener takes the only one there is, whatever its name")
    func sole() throws {
        let numbers = [try TestSocket.inetDatagram(), try TestSocket.inet6Listener()]
        defer { for number in numbers { close(number) } }
        let passed = PassedDescriptors(numbers.map { PassedDescriptor(number: $0) })
        let sole = try #require(passed.soleStreamListener)
        #expect(sole.number == numbers[1])
        let duplicate = try passed.duplicate(of: sole, as: .streamListener)
        defer { close(duplicate) }
        #expect(address(duplicate) == address(numbers[1]))
        #expect(passed.unclaimed.map(\.number) == [numbers[0]])
    }

    @Test("what is taken belongs to the taker: no master stays, and the rest of the name does")
    func take() throws {
        let (one, other) = try TestSocket.pair(SOCK_STREAM)
        defer { close(other) }
        let listener = PassedDescriptor(number: try TestSocket.inet6Listener(), name: "a")
        let passed = PassedDescriptors([listener, PassedDescriptor(number: one, name: "a")])
        defer { close(listener.number) }
        #expect(passed.take(named: "b", as: .connection).isEmpty)
        #expect(passed.take(named: "a", as: .connection) == [one])
        #expect(passed.take(named: "a", as: .connection).isEmpty)
        #expect(passed.all == [listener])
        let http = try passed.duplicates(named: "a", as: .streamListener)
        for descriptor in http { close(descriptor) }
        // Somebody serves it: it is not there to be taken away.
        #expect(passed.take(named: "a", as: .streamListener).isEmpty)
        close(one)
        var watched = pollfd(fd: other, events: Int16(POLLIN), revents: 0)
        // A child that another test is just starting may hold a copy for a moment.
        let hasEnded = poll(&watched, 1, 60_000) == 1
        #expect(hasEnded)
    }

    @Test("where a name is shared, those of the kind are duplicated, and the others stay unclaimed")
    func only() throws {
        let numbers = [try TestSocket.inetDatagram(), try TestSocket.inet6Listener()]
        defer { for number in numbers { close(number) } }
        let passed = PassedDescriptors(numbers.map { PassedDescriptor(number: $0, name: "a") })
        let listeners = try passed.duplicates(named: "a", only: .streamListener)
        defer { for descriptor in listeners { close(descriptor) } }
        #expect(listeners.map(address) == [address(numbers[1])])
        #expect(passed.unclaimed.map(\.number) == [numbers[0]])
        let none = try passed.duplicates(named: "a", only: .fifo)
        #expect(none.isEmpty)
    }

    @Test("of several listeners none is the sole one")
    func notSole() throws {
        try withFour { passed, _ in #expect(passed.soleStreamListener == nil) }
        #expect(PassedDescriptors([]).soleStreamListener == nil)
    }

    @Test("a descriptor that is not among the passed ones is refused")
    func stranger() throws {
        let passed = PassedDescriptors([])
        let error = #expect(throws: SystemdError.self) {
            try passed.duplicate(of: PassedDescriptor(number: 0), as: .other)
        }
        #expect(error?.code == .unknownDescriptor)
    }

    @Test("if one cannot be duplicated there are no duplicates, and nothing is claimed")
    func failure() async {
        // In a process of its own: there nobody is given the number that has just become free.
        await #expect(processExitsWith: .success) {
            func inode(_ descriptor: CInt) -> ino_t? {
                var status = stat()
                return fstat(descriptor, &status) == 0 ? status.st_ino : nil
            }
            let listener = try TestSocket.inet6Listener()
            let vanishing = fcntl(listener, F_DUPFD_CLOEXEC, 900)
            try #require(vanishing >= 0)
            let passed = PassedDescriptors(
                [listener, vanishing].map { PassedDescriptor(number: $0, name: "http") }
            )
            close(vanishing)
            let error = #expect(throws: SystemdError.self) {
                try passed.duplicates(named: "http", as: .streamListener)
            }
            #expect(error?.code == .duplicationFailed)
            #expect(error?.errno == EBADF)
            #expect(error?.message.hasPrefix("cannot duplicate descriptor \(vanishing) ") == true)
            #expect(passed.unclaimed.count == 2)
            let own = inode(listener)
            #expect((0..<1024).filter { inode($0) == own } == [listener])
        }
    }
}
