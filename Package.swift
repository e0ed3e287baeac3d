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
    .target(name: "Bytes"),
    .target(
      name: "InputBytes",
      dependencies: ["Bytes", "CZlib", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "HTTPExchange",
      dependencies: ["Bytes", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "PacketCapture",
      dependencies: [
        "Bytes", "HTTPExchange", "InputBytes",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(name: "AccessLog", dependencies: ["Bytes", "HTTPExchange", "InputBytes"]),
    .target(name: "FetchCORS", dependencies: ["Bytes", "HTTPExchange"]),
    .target(
      name: "IncidentReport",
      dependencies: [
        "Bytes", "FetchCORS", "HTTPExchange",
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      resources: [.embedInCode("Templates")]),
    .target(
      name: "Postflight",
      dependencies: [
        "PacketCapture", "AccessLog", "FetchCORS", "IncidentReport", "HTTPExchange", "InputBytes",
        "Bytes",
      ]),
    .executableTarget(
      name: "PostflightCommand",
      dependencies: [
        "Postflight", "AccessLog", "FetchCORS", "HTTPExchange", "IncidentReport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .target(
      name: "TestSupport", dependencies: ["Bytes", "HTTPExchange"], path: "Tests/TestSupport"),
    .testTarget(name: "InputBytesTests", dependencies: ["InputBytes", "Bytes", "TestSupport"]),
    .testTarget(name: "HTTPExchangeTests", dependencies: ["HTTPExchange", "Bytes", "TestSupport"]),
    .testTarget(
      name: "PacketCaptureTests",
      dependencies: [
        "PacketCapture", "Bytes", "CPcap", "TestSupport",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["HTTP2/HPACKVectors.ndjson"]),
    .testTarget(
      name: "AccessLogTests", dependencies: ["AccessLog", "Bytes", "TestSupport"],
      exclude: ["Lines", "CoatedLines"]),
    .testTarget(
      name: "FetchCORSTests", dependencies: ["FetchCORS", "Bytes", "TestSupport"],
      resources: [.copy("Cases")]),
    .testTarget(
      name: "IncidentReportTests", dependencies: ["IncidentReport", "Bytes", "TestSupport"]),
    .testTarget(name: "PostflightTests", dependencies: ["Postflight", "Bytes", "TestSupport"]),
    .testTarget(
      name: "PostflightCommandTests", dependencies: ["PostflightCommand", "TestSupport"]),
  ]
)

// The fuzz targets are tests that run what was found before, or, for `Scripts/fuzz`, a program around
// libFuzzer of the same sources.
let isFuzzing = Context.environment["POSTFLIGHT_FUZZING"] != nil
let fuzzed: [Target.Dependency] = [
  "PacketCapture", "AccessLog", "FetchCORS", "IncidentReport", "Postflight", "HTTPExchange",
  "InputBytes", "Bytes", "TestSupport",
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
  if target.path == nil, target.type != .test {
    target.swiftSettings?.append(.strictMemorySafety())
  }
}
