// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Nobody looks up a function of a program by its name: without the list of all of them a static binary is 3 MB smaller,
// and needs 1.7 MB less while it runs.
let linking: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--no-export-dynamic"], .when(platforms: [.linux], configuration: .release))
]

// Real services on the kit. Frameworks live here and never in the kit itself.
let package = Package(
    name: "Samples",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "fortune", targets: ["fortune"]),
        .executable(name: "hello", targets: ["hello"]),
        .executable(name: "lehu", targets: ["lehu"]),
        .executable(name: "lunchd", targets: ["lunchd"]),
        .library(name: "HTTPListener", targets: ["HTTPListener"]),
        .library(name: "JournalLogging", targets: ["JournalLogging"]),
    ],
    dependencies: [
        .package(name: "swift-supervision", path: ".."),
        // Without its traits Hummingbird needs FoundationEssentials alone: static binaries stay small.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Hummingbird 2 on connections that the kit accepted; an app can take this folder whole.
        .target(
            name: "HTTPListener",
            dependencies: [
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),

        // The smallest whole service: one page, sockets, readiness, a drain.
        .executableTarget(
            name: "hello",
            dependencies: [
                "HTTPListener",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ],
            swiftSettings: settings,
            linkerSettings: linking
        ),

        // TLS by name: every socket called https, and a redirect on those called http.
        .executableTarget(
            name: "lunchd",
            dependencies: [
                "HTTPListener",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ],
            swiftSettings: settings,
            linkerSettings: linking
        ),

        // Three sockets by name, one of them for datagrams.
        .executableTarget(
            name: "lehu",
            dependencies: [
                "HTTPListener",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ],
            swiftSettings: settings,
            linkerSettings: linking
        ),

        // A quote for whoever asks: inetd style, or as a daemon by TCP and UDP. No framework at all.
        .executableTarget(
            name: "fortune",
            dependencies: [.product(name: "DaemonKit", package: "swift-supervision")],
            swiftSettings: settings,
            linkerSettings: linking
        ),

        // The programs as processes, and their clients, for the tests.
        .target(
            name: "ProgramTesting",
            dependencies: [.product(name: "DaemonKit", package: "swift-supervision")],
            path: "Tests/ProgramTesting",
            swiftSettings: settings
        ),
        // The same for those that speak HTTP: with certificates, and a manager.
        .target(
            name: "HTTPTesting",
            dependencies: [
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            path: "Tests/HTTPTesting",
            swiftSettings: settings
        ),

        .testTarget(
            name: "HTTPListenerTests",
            dependencies: [
                "HTTPListener",
                "HTTPTesting",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HelloTests",
            dependencies: [
                "hello", "HTTPTesting",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LunchdTests",
            dependencies: [
                "lunchd", "HTTPTesting",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LehuTests",
            dependencies: [
                "lehu", "HTTPTesting", "ProgramTesting",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FortuneTests",
            dependencies: [
                "fortune", "ProgramTesting",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),

        // hello among neighbours that fail all the time, for hours: what Tests/Endurance runs.
        .executableTarget(
            name: "soak",
            dependencies: [
                "HTTPListener",
                .product(name: "DaemonKit", package: "swift-supervision"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/Soak",
            swiftSettings: settings
        ),

        // A swift-log back end on the journal; an app can take its one file.
        .target(
            name: "JournalLogging",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Systemd", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "JournalLoggingTests",
            dependencies: [
                "JournalLogging",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Systemd", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),

        // Trees among the ecosystem's services: either may stand in the other.
        .testTarget(
            name: "LifecycleTests",
            dependencies: [
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Supervision", package: "swift-supervision"),
                .product(name: "SupervisionTesting", package: "swift-supervision"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
