import Glibc
import Testing

@testable import DaemonKit

@Suite("What follows a failed accept")
struct AcceptPolicyTests {
    @Test("an empty backlog is waited for")
    func wait() {
        var policy = AcceptPolicy()
        #expect(policy.failed(EAGAIN) == .wait)
    }

    @Test(
        "the loss of one connection does not stop the others",
        arguments: [
            EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENOPROTOOPT,
        ]
    )
    func goOn(error: CInt) {
        var policy = AcceptPolicy()
        #expect(policy.failed(error) == .goOn)
    }

    @Test("interruptions are not counted as failures")
    func interrupted() {
        var policy = AcceptPolicy()
        #expect((0..<100).allSatisfy { _ in policy.failed(EINTR) == .goOn })
    }

    @Test("losing one connection after another pauses at the sixteenth")
    func manyLost() {
        var policy = AcceptPolicy()
        for _ in 1..<16 { #expect(policy.failed(EPERM) == .goOn) }
        #expect(policy.failed(EPERM) == .pause(.milliseconds(50), isNews: true))
    }

    @Test("want of descriptors or memory pauses", arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func pause(error: CInt) {
        var policy = AcceptPolicy()
        #expect(policy.failed(error) == .pause(.milliseconds(50), isNews: true))
    }

    @Test("an error that nobody knows pauses, and does not end the listener")
    func unknown() {
        var policy = AcceptPolicy()
        #expect(policy.failed(9999) == .pause(.milliseconds(50), isNews: true))
    }

    @Test("pauses double up to a second, however many there are")
    func doubling() {
        var policy = AcceptPolicy()
        let pauses = (0..<200).map { _ in policy.failed(EMFILE) }
        let expected: [Duration] = [50, 100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) }
        for (index, (pause, length)) in zip(pauses, expected).enumerated() {
            #expect(pause == .pause(length, isNews: index == 0))
        }
        #expect(pauses.last == .pause(.seconds(1), isNews: false))
    }

    @Test("a connection that is accepted makes the next pause short again, and no news")
    func acceptedBetween() {
        var policy = AcceptPolicy()
        _ = policy.failed(EMFILE)
        _ = policy.failed(EMFILE)
        policy.accepted()
        #expect(policy.failed(EMFILE) == .pause(.milliseconds(50), isNews: false))
    }

    @Test("an empty backlog makes the next pause news again")
    func newsAgain() {
        var policy = AcceptPolicy()
        _ = policy.failed(EMFILE)
        _ = policy.failed(EAGAIN)
        #expect(policy.failed(EMFILE) == .pause(.milliseconds(50), isNews: true))
    }

    @Test(
        "a socket that is none, or listens no more, is given up",
        arguments: [EBADF, EINVAL, ENOTSOCK, EFAULT]
    )
    func giveUp(error: CInt) {
        var policy = AcceptPolicy()
        #expect(policy.failed(error) == .giveUp)
    }
}
