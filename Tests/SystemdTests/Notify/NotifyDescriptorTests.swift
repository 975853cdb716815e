import Glibc
import SupervisionTesting
import Testing

@testable import Systemd

@Suite("NotifyMessage with descriptors")
struct NotifyDescriptorTests {
    @Test("a message that stores says so, under one name")
    func encoding() throws {
        #expect(
            try NotifyMessage.storeDescriptors([0], named: "state").description == "FDSTORE=1\nFDNAME=state"
        )
        #expect(
            try NotifyMessage.storeDescriptors([0, 1], named: "", keepsBroken: true).description
                == "FDSTORE=1\nFDNAME=\nFDPOLL=0"
        )
        #expect(
            try NotifyMessage.removeStored(named: "state").description == "FDSTOREREMOVE=1\nFDNAME=state"
        )
        #expect(try NotifyMessage.mainProcess(pidfd: 0).description == "MAINPIDFD=1")
    }

    // Those that open hundreds have processes of their own, as have those that count what is open.

    @Test("what is attached arrives with its message, each one and no more")
    func arrives() async {
        await #expect(processExitsWith: .success) {
            for count in [1, 2, 253] {
                let manager = try FakeServiceManager(descriptorStoreLimit: 253)
                let notifier = Notifier(address: manager.address)
                let ends = makePipe()
                defer { for end in [ends.read, ends.write] { close(end) } }
                let message = try NotifyMessage.storeDescriptors(
                    Array(repeating: ends.read, count: count),
                    named: "pipe"
                )
                #expect(notifier.send(message) == .sent)
                let received = try await manager.next()
                #expect(received.lines == ["FDSTORE=1", "FDNAME=pipe"])
                #expect(received.descriptorCount == count)
                #expect(manager.storedDescriptors.map(\.name) == Array(repeating: "pipe", count: count))
                #expect(manager.storedDescriptors.allSatisfy { $0.kind == .fifo })
            }
        }
    }

    @Test("no descriptor, and one more than fit, are refused by name", arguments: [0, 254, 1000])
    func count(count: Int) {
        let error = #expect(throws: SystemdError.self) {
            try NotifyMessage.storeDescriptors(Array(repeating: 0, count: count), named: "a")
        }
        #expect(error?.code == .wrongDescriptorCount)
        #expect(error?.message == "the message has \(count) descriptors, where one carries 1 to 253")
    }

    @Test("a descriptor that is not open is refused by number, and nothing leaks")
    func notOpen() async {
        await #expect(processExitsWith: .success) {
            let end = makePipe().read
            let error = #expect(throws: SystemdError.self) {
                try NotifyMessage.storeDescriptors([end, end, -1], named: "a")
            }
            #expect(error?.code == .duplicationFailed)
            #expect(error?.errno == EBADF)
            #expect(error?.message.contains("descriptor -1") == true)
            // The pipe's two ends are one file.
            #expect(copies(of: end) == 2)
        }
    }

    @Test(
        "what is no descriptor's name is refused",
        arguments: ["a:b", ":", "a\n", "\0", "\u{7F}", "ä", String(repeating: "a", count: 256)]
    )
    func names(name: String) {
        for make in [
            { try NotifyMessage.storeDescriptors([0], named: name) },
            { try NotifyMessage.removeStored(named: name) },
        ] as [() throws -> NotifyMessage] {
            let error = #expect(throws: SystemdError.self) { try make() }
            #expect(error?.code == .invalidName)
            #expect(error?.message.contains("\n") == false)
        }
    }

    @Test(
        "every other name is taken",
        arguments: ["", " ", "~", "http.socket", String(repeating: "a", count: 255)]
    )
    func goodNames(name: String) throws {
        #expect(try NotifyMessage.removeStored(named: name).description == "FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    @Test("two purposes or two names in one message are refused when it is sent")
    func joined() throws {
        let notifier = Notifier(address: try NotifyAddress("/nonexistent/notify"))
        let one = try NotifyMessage.storeDescriptors([0], named: "a")
        let other = try NotifyMessage.storeDescriptors([0], named: "b")
        let pidfd = try NotifyMessage.mainProcess(pidfd: 0)
        let removal = try NotifyMessage.removeStored(named: "b")
        for message in [one + other, one + one, one + pidfd, one + removal] {
            guard case .failed(let error) = notifier.send(message) else {
                Issue.record("\(message) did not fail")
                continue
            }
            #expect(error.code == .invalidVariable)
        }
        #expect((one + .ready).problem == nil)
        #expect((.ready + pidfd + .status("a")).problem == nil)
    }

    @Test("the duplicates are close-on-exec, and close when the last copy of the message has gone")
    func lifetime() async {
        await #expect(processExitsWith: .success) {
            let end = makePipe().read
            do {
                let message = try NotifyMessage.storeDescriptors([end, end, end], named: "a")
                let others = [message, .ready + message]
                #expect(copies(of: end) == 5)
                #expect(message.descriptors.allSatisfy { fcntl($0.number, F_GETFD) & FD_CLOEXEC != 0 })
                withExtendedLifetime(others) {}
            }
            #expect(copies(of: end) == 2)
        }
    }

    @Test("sent, dropped, refused or lost: nothing leaks")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let end = makePipe().read
            let before = openDescriptors()
            do {
                let manager = try FakeServiceManager()
                manager.pause()
                let notifier = Notifier(address: manager.address)
                let outcomes = try Set(
                    (0..<1000).map { _ in
                        notifier.send(try .storeDescriptors([end, end, end], named: "a"))
                    }
                )
                #expect(outcomes.isSuperset(of: [.sent, .queued, .dropped]))
                #expect(notifier.queuedCount <= 128)
                let refused = try NotifyMessage.storeDescriptors([end], named: "a")
                let outcome = notifier.send(refused + refused)
                guard case .failed = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                let nobody = Notifier(address: try NotifyAddress("/nonexistent/notify"))
                guard case .failed = nobody.send(refused) else {
                    Issue.record("sending to nobody did not fail")
                    return
                }
                #expect(Notifier(address: nil).send(refused) == .notSupervised)
            }
            #expect(copies(of: end) == 2)
            #expect(openDescriptors().subtracting(before).isEmpty)
        }
    }

    @Test("descriptors that wait are counted, and more than two full messages are not kept open")
    func waiting() async {
        await #expect(processExitsWith: .success) {
            var queue = NotifyQueue()
            let full = try NotifyMessage.storeDescriptors(Array(repeating: 0, count: 253), named: "a")
            var taken = [queue.append(full), queue.append(full), queue.append(full)]
            #expect(taken == [true, true, false])
            #expect(queue.descriptorCount == 506)
            #expect(queue.droppedCount == 1)
            queue.removeFirst()
            #expect(queue.descriptorCount == 253)
            taken = [queue.append(full), queue.append(.ready)]
            #expect(taken == [true, true])
            queue.dropAll()
            #expect(queue.descriptorCount == 0)
            #expect(queue.droppedCount == 4)
        }
    }

    @Test("descriptors do not travel to a vsock address, and the outcome says so")
    func vsock() async throws {
        let notifier = Notifier(address: try NotifyAddress("vsock-stream:local:1"))
        guard case .failed(let error) = notifier.send(try .storeDescriptors([0], named: "a")) else {
            Issue.record("a descriptor was sent to a vsock address")
            return
        }
        #expect(error.code == .unsupportedAddress)
        guard case .failed(let barrier) = await notifier.barrier(timeout: .seconds(60)) else {
            Issue.record("a barrier was sent to a vsock address")
            return
        }
        #expect(barrier.code == .unsupportedAddress)
        #expect(notifier.droppedCount == 0)
    }
}
