// What the snippets of the documentation take for granted: the reader's own code.

import DaemonKit
import SupervisionTesting

struct Worker {
    func run() async throws {}
}

let cache = Worker()
let feed = Worker()
let url = "db://localhost"
let database = Probe("database")
let supervisor = Supervisor {}
let notifier = Notifier(address: nil)
let clock = TestClock()
let server = Server()

struct SomeError: Error {}

struct Database: Child {
    init(_ url: String) {}
    var childSpec: ChildSpec { ChildSpec("database") {} }
}

struct Server: ConnectionHandler {
    func handle(_ connection: Connection) async throws {}
}

func sweep() async throws {}
func fillCache() async throws {}
func withDatabase(_ url: String, _ body: (Worker) async throws -> Void) async throws {}
