import KitWorkloads
import Measuring

/// What the kit costs, in time and memory: `scale static 100000`, `scale dynamic 1000000`, `scale restart 100000`.
@main
struct Scale {
    static func main() async {
        await Contender(workloads, meter: .time()).run()
    }
}
