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

let pool = ChildReference<DatabasePool>()
let tasks = TaskSupervisor()
let urls: [String] = []
let queue = WorkQueue()
let environment = ServiceEnvironment.take()
let store = DescriptorStore(
    environment: environment,
    notifier: notifier,
    passed: PassedDescriptors(environment.descriptors)
)
let bytes: [UInt8] = []
func openConnection() -> Connection { fatalError("checked, never run") }
let connection = openConnection()
let caches = Caches()
let services: [Worker] = []
let logger = Worker()
let rooms = DynamicSupervisor<String>("rooms") { child, _ in child.started() }

struct SomeError: Error {}
struct CredentialsRejected: Error {}

struct DatabasePool {
    func run() async throws {}
}

struct Cache {
    init(filledFrom pool: DatabasePool) async throws {}
    func run() async throws {}
}

struct Room {
    init(named name: String) async throws {}
    func run() async throws {}
}

struct Certificates {
    init(_ environment: ServiceEnvironment) throws {}
    func readAgain() async throws {}
}

struct Counters {
    var bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

actor WorkQueue {
    var oldestMessageAge: Duration { .zero }
    func run() async throws {}
}

struct Caches {
    func trim() {}
}

// As another library has it.
struct ServiceGroup {
    init(services: [Worker], logger: Worker) {}
    func run() async throws {}
    func triggerGracefulShutdown() async {}
}

struct Database: Child {
    init(_ url: String) {}
    var childSpec: ChildSpec { ChildSpec("database") {} }
}

struct Server: ConnectionHandler {
    func handle(_ connection: Connection) async throws {}
    func run() async throws {}
    func shutdown() async throws {}
}

func sweep() async throws {}
func migrate(_ pool: DatabasePool) async throws {}
func answer(_ connection: Connection, from pool: DatabasePool) async throws {}
func render(_ connection: Connection) async throws -> [UInt8] { [] }
func fetch(_ url: String) async throws -> String { url }
func index(_ page: String) {}
func report(_ error: any Error) {}
func serve(_ certificates: Certificates) async throws {}
func restore(_ descriptor: CInt) {}
func chat(in room: String, _ child: ChildContext) async throws {}
func withDatabasePool(_ body: (DatabasePool) async throws -> Void) async throws {}
func fillCache() async throws {}
func withDatabase(_ url: String, _ body: (Worker) async throws -> Void) async throws {}

struct Hello: Daemon {
    var supervisor: Supervisor { Supervisor {} }
}

struct Shop: Daemon {
    var supervisor: Supervisor { Supervisor {} }
}

let trial = SupervisorTrial(supervisor)
func tree() -> Supervisor { supervisor }
