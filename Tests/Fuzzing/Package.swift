// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Tries the kit's readers of outside text with inputs that libFuzzer makes up: see run.
let package = Package(
    name: "Fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-supervision", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzzing",
            dependencies: [
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
                .product(name: "Systemd", package: "swift-supervision"),
            ],
            swiftSettings: settings
        )
    ],
    swiftLanguageModes: [.v6]
)
