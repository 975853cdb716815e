// swift-tools-version: 6.2

import PackageDescription

// swift run -c release --package-path Tests/Benchmarks scale
let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-supervision", path: "../..")],
    targets: [
        .executableTarget(
            name: "scale",
            dependencies: [.product(name: "Supervision", package: "swift-supervision")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
