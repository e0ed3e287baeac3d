// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that neither a build nor the tests of Postflight need SwiftNIO.
let package = Package(
  name: "hpack-oracle",
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
  ],
  targets: [
    .executableTarget(
      name: "RecordHPACKVectors",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ])
  ]
)
