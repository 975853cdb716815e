import Measuring

/// What Swift's own tasks cost where nobody looks after them: `bare inline-static 100000`, `bare enqueued-restart 10000`.
@main
struct Bare {
    static func main() async {
        var workloads: [String: Contender.Workload] = ["notify": notify]
        for start in Start.allCases {
            workloads["\(start)-static"] = { try await many(start, $0, $1, inOrder: true) }
            workloads["\(start)-dynamic"] = { try await many(start, $0, $1, inOrder: false) }
            workloads["\(start)-restart"] = { try await restart(start, $0, $1) }
            workloads["\(start)-one-for-all"] = { try await together(start, $0, $1) }
            workloads["\(start)-rest-for-one"] = { try await together(start, $0, $1) }
        }
        await Contender(workloads, meter: .time()).run()
    }
}
