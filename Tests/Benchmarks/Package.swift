// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// What Tests/Benchmarks/run builds and measures, and what Tests/Benchmarks/http compares the sample hello with.
let package = Package(
    name: "benchmarks",
    // Task.immediate is that new there.
    platforms: [.macOS("26.0")],
    dependencies: [
        .package(name: "swift-supervision", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // What all contenders measure with.
        .target(name: "Measuring", swiftSettings: settings),

        // Swift's own tasks, with nobody to look after them: the floor.
        .executableTarget(name: "bare", dependencies: ["Measuring"], swiftSettings: settings),

        // What the kit is asked to do, for whatever is measured.
        .target(
            name: "KitWorkloads",
            dependencies: [
                "Measuring",
                .product(name: "Supervision", package: "swift-supervision"),
                .product(name: "Systemd", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),

        // The kit's time and memory.
        .executableTarget(
            name: "scale",
            dependencies: ["KitWorkloads", "Measuring"],
            swiftSettings: settings
        ),

        // The kit's allocations.
        .executableTarget(
            name: "allocations",
            dependencies: ["CAllocations", "KitWorkloads", "Measuring"],
            swiftSettings: settings
        ),

        // A malloc that counts.
        .target(name: "CAllocations"),

        // Swift's other library for the parts of a service.
        .executableTarget(
            name: "lifecycle",
            dependencies: [
                "Measuring",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),

        // The page of hello, served by Hummingbird alone.
        .executableTarget(
            name: "stock",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
