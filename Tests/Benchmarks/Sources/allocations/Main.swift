import CAllocations
import KitWorkloads
import Measuring

/// How often the kit asks for memory: `allocations static 10000`.
@main
struct Main {
    static func main() async {
        await Contender(workloads, meter: Meter { allocation_count() }).run()
    }
}
