import Systemd

/// What the fake manager keeps of a service: the descriptor store of its unit.
struct DescriptorShelf {
    private struct Item {
        let name: String
        let descriptor: OwnedDescriptor
    }

    private var items: [Item] = []
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var contents: [PassedDescriptor] {
        items.map { PassedDescriptor(number: $0.descriptor.number, name: $0.name) }
    }

    /// Acts on a message as the manager does; what it does not keep is closed.
    mutating func process(_ message: ReceivedNotification, with descriptors: [OwnedDescriptor]) {
        let name = message["FDNAME"]
        if message["FDSTOREREMOVE"] == "1", let name { items.removeAll { $0.name == name } }
        guard message["FDSTORE"] == "1" else { return }
        for descriptor in descriptors.prefix(limit - items.count) {
            items.append(Item(name: name ?? DescriptorName.unnamed, descriptor: descriptor))
        }
    }

    mutating func empty() {
        items = []
    }
}
