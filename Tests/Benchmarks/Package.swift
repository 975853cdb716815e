// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-supervision", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        // What children cost: swift run -c release --package-path Tests/Benchmarks scale
        .executableTarget(
            name: "scale",
            dependencies: [.product(name: "Supervision", package: "swift-supervision")],
            swiftSettings: settings
        ),

        // What Tests/Benchmarks/http compares the sample hello with.
        .executableTarget(
            name: "stock",
            dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
