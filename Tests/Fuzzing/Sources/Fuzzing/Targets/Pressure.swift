@testable import Systemd

extension FuzzTarget {
    /// A `/proc/self/cgroup`, a text that may be Base64, a path, and bytes.
    func attemptPressure(_ input: Input) {
        let parts = input.parts
        func part(_ index: Int) -> Input { index < parts.count ? parts[index] : Input([]) }

        let resource = PressureResource.allCases[Int(part(0).bytes.first ?? 0) % 3]
        let system = "/proc/pressure/\(resource.rawValue)"
        let paths = PressureSource.paths(for: resource, cgroups: part(0).text)
        claim(paths.last == system, "\(paths)")
        for path in paths.dropLast() {
            let end = "/\(resource.rawValue).pressure".utf8
            claim(
                path.utf8.starts(with: "/sys/fs/cgroup/".utf8)
                    && path.utf8.suffix(end.count).elementsEqual(end),
                path
            )
            claim(!path.utf8.split(separator: 0x2F).contains { $0.elementsEqual([0x2E, 0x2E]) }, path)
            claim(!path.utf8.contains(0x0A), path)
        }

        if let bytes = Base64.decode(part(1).text) {
            claim(encodeBase64(bytes).isSame(as: part(1).text), "\(part(1).text) is read as \(bytes)")
        }
        let bytes = part(3).bytes
        claim(Base64.decode(encodeBase64(bytes)) == bytes, "\(bytes) come back")

        let path = part(2).text
        let isFit = path.isAbsolutePath && path.utf8.count <= 4095
        do {
            let source = try PressureSource(resource, path: path)
            claim(isFit && source.path.isSame(as: path), "\(path.debugDescription) is no path")
        } catch {
            claim(!isFit && error.code == .invalidAddress && error.message.isMessage, "\(error)")
        }
    }
}

/// Base64 with padding, written plainly.
func encodeBase64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = (0..<3).reduce(UInt32(0)) { $0 << 8 | UInt32($1 < group.count ? group[start + $1] : 0) }
        for letter in 0..<4 {
            let isPadding = letter > group.count
            text.append(isPadding ? 0x3D : letters[Int(bits >> UInt32(18 - 6 * letter) & 63)])
        }
    }
    return String(decoding: text, as: UTF8.self)
}
