// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order in which data flows: bytes, records, ingest, verdicts, report, tool.
let package = Package(
  name: "postflight",
  products: [
    .executable(name: "postflight", targets: ["PostflightCommand"]),
    .library(name: "Postflight", targets: ["Postflight"]),
    .library(name: "FetchCORS", targets: ["FetchCORS"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .target(
      name: "InputBytes",
      dependencies: ["CZlib", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "HTTPExchange", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "PacketCapture",
      dependencies: [
        "HTTPExchange", "InputBytes", .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(name: "AccessLog", dependencies: ["HTTPExchange", "InputBytes"]),
    .target(name: "FetchCORS", dependencies: ["HTTPExchange"]),
    .target(
      name: "IncidentReport",
      dependencies: [
        "FetchCORS", "HTTPExchange", .product(name: "Mustache", package: "swift-mustache"),
      ],
      resources: [.embedInCode("Templates")]),
    .target(
      name: "Postflight",
      dependencies: [
        "PacketCapture", "AccessLog", "FetchCORS", "IncidentReport", "HTTPExchange", "InputBytes",
      ]),
    .executableTarget(
      name: "PostflightCommand",
      dependencies: [
        "Postflight", "AccessLog", "FetchCORS", "HTTPExchange", "IncidentReport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .target(name: "TestSupport", dependencies: ["HTTPExchange"], path: "Tests/TestSupport"),
    .testTarget(name: "InputBytesTests", dependencies: ["InputBytes", "TestSupport"]),
    .testTarget(name: "HTTPExchangeTests", dependencies: ["HTTPExchange", "TestSupport"]),
    .testTarget(
      name: "PacketCaptureTests",
      dependencies: [
        "PacketCapture", "CPcap", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["HTTP2/HPACKVectors.ndjson"]),
    .testTarget(
      name: "AccessLogTests", dependencies: ["AccessLog", "TestSupport"],
      exclude: ["Lines", "CoatedLines"]),
    .testTarget(
      name: "FetchCORSTests", dependencies: ["FetchCORS", "TestSupport"],
      resources: [.copy("Cases")]),
    .testTarget(name: "IncidentReportTests", dependencies: ["IncidentReport", "TestSupport"]),
    .testTarget(name: "PostflightTests", dependencies: ["Postflight", "TestSupport"]),
    .testTarget(
      name: "PostflightCommandTests", dependencies: ["PostflightCommand", "TestSupport"]),
  ]
)

// The fuzz targets are tests that run what was found before, or, for `Scripts/fuzz`, a program around
// libFuzzer of the same sources.
let isFuzzing = Context.environment["POSTFLIGHT_FUZZING"] != nil
let fuzzed: [Target.Dependency] = [
  "PacketCapture", "AccessLog", "FetchCORS", "IncidentReport", "Postflight", "HTTPExchange",
  "InputBytes", "TestSupport",
]
package.targets.append(
  isFuzzing
    ? .executableTarget(
      name: "Fuzzing", dependencies: fuzzed, path: "Tests/FuzzingTests",
      exclude: ["Dictionaries", "Fixtures", "FuzzTargetTests.swift"],
      sources: ["Driver", "Targets"])
    : .testTarget(
      name: "FuzzingTests", dependencies: fuzzed, exclude: ["Dictionaries", "Driver", "Fixtures"])
)

for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
}
