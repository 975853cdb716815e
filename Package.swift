// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// No package dependencies, ever: an app that adds this package adds this package alone.
let package = Package(
    name: "swift-supervision",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "Supervision", targets: ["Supervision"]),
        .library(name: "Systemd", targets: ["Systemd"]),
        .library(name: "DaemonKit", targets: ["DaemonKit"]),
        .library(name: "SupervisionTesting", targets: ["SupervisionTesting"]),
    ],
    targets: [
        // Trees: the standard library alone.
        .target(name: "Supervision", dependencies: ["SupervisionLock"], swiftSettings: settings),

        // A mutex that Thread Sanitizer can see.
        .target(name: "SupervisionLock", swiftSettings: settings),

        // The service manager's protocols; knows nothing of Supervision.
        .target(name: "Systemd", dependencies: ["CSupervision", "SupervisionLock"], swiftSettings: settings),

        // What Swift cannot say to the kernel: control messages, accept4, eventfd.
        .target(name: "CSupervision"),

        // The two joined: an entry point, and children for a service's tree.
        .target(
            name: "DaemonKit",
            dependencies: ["Supervision", "Systemd", "CSupervision", "SupervisionLock"],
            swiftSettings: settings
        ),

        // What the author of a tree needs to test it.
        .target(
            name: "SupervisionTesting",
            dependencies: ["DaemonKit", "Supervision", "Systemd", "CSupervision", "SupervisionLock"],
            swiftSettings: settings
        ),

        // A daemon for tests that need a real process.
        .executableTarget(
            name: "DaemonFixture",
            dependencies: ["DaemonKit"],
            path: "Tests/DaemonFixture",
            swiftSettings: settings
        ),

        .testTarget(
            name: "SupervisionTests",
            dependencies: ["Supervision", "SupervisionTesting", "SupervisionLock"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SystemdTests",
            dependencies: ["Systemd", "SupervisionTesting", "CSupervision", "SupervisionLock"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DaemonKitTests",
            dependencies: [
                "DaemonKit", "SupervisionTesting", "CSupervision", "SupervisionLock", "DaemonFixture",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SupervisionTestingTests",
            dependencies: ["DaemonKit", "Supervision", "SupervisionTesting"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
