import CPcap
import Foundation
import InputBytes
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Packets as libpcap reads them")
struct LibpcapTests {
  /// A packet as either reader gives it.
  struct Packet: Equatable {
    var time: Int64
    var wire: Int
    var bytes: [UInt8]
  }

  /// What libpcap reads of a file; `nil` when it refuses the file.
  static func libpcap(_ path: String) -> (packets: [Packet], limit: Int, isWhole: Bool)? {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard
      let handle = pcap_open_offline_with_tstamp_precision(
        path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &message)
    else { return nil }
    defer { pcap_close(handle) }
    var packets: [Packet] = []
    while true {
      var header: UnsafeMutablePointer<pcap_pkthdr>?
      var data: UnsafePointer<UInt8>?
      let result = pcap_next_ex(handle, &header, &data)
      guard result == 1, let header, let data else {
        return (packets, Int(pcap_snapshot(handle)), result == PCAP_ERROR_BREAK)
      }
      packets.append(
        Packet(
          time: Int64(header.pointee.ts.tv_sec) * 1_000_000_000
            + Int64(header.pointee.ts.tv_usec),
          wire: Int(header.pointee.len),
          bytes: Array(UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen)))))
    }
  }

  /// What our reader gives of a file.
  static func ours(_ path: String) throws -> (packets: [Packet], isDamaged: Bool) {
    let input = try ByteInput(path: path)
    var file = CaptureFile()
    var packets: [Packet] = []
    var carried = 0
    while let buffer = try? input.next(carrying: carried) {
      var position = 0
      reading: while true {
        switch file.step(buffer, &position) {
        case .packet:
          packets.append(
            Packet(
              time: file.packet.time, wire: file.packet.wire, bytes: Array(file.packet.bytes)))
        case .needsMore: break reading
        case .skipped, .keyLog, .nothing: continue
        }
      }
      carried = buffer.count - position
    }
    file.finish(carried, end: input.offset)
    return (packets, file.damageCount > 0)
  }

  /// Compares both, as far as libpcap comes.
  ///
  /// - Returns: what differs; `nil` for nothing.
  static func difference(_ path: String) throws -> String? {
    guard let (theirs, limit, isWhole) = libpcap(path) else { return nil }
    let (ours, isDamaged) = try ours(path)
    // libpcap cuts a packet to the snapshot length before it looks for the rest, so that it gives a
    // last one of which the file does not hold all.
    let isCut = isDamaged && theirs.count == ours.count + 1
    if (ours.count < theirs.count && !isCut) || (isWhole && ours.count > theirs.count) {
      return "\(ours.count) packets, libpcap \(theirs.count)"
    }
    for (index, (our, their)) in zip(ours, theirs).enumerated() {
      // libpcap gives simple packets no time, and cuts packets to the snapshot length.
      // A fraction of a second or more, and a time after 2038, overflow libpcap's 32 bits.
      let isOverflow =
        our.time >= (1 << 31) * 1_000_000_000
        || (our.time &- their.time) % (1 << 32) == 0
      if our.time != their.time, their.time != 0, !isOverflow {
        return "packet \(index + 1): time \(our.time), libpcap \(their.time)"
      }
      if our.wire != their.wire, their.wire >= our.bytes.count {
        return "packet \(index + 1): length \(our.wire), libpcap \(their.wire)"
      }
      let cut = our.bytes.count > limit ? Array(our.bytes.prefix(limit)) : our.bytes
      if cut != their.bytes { return "packet \(index + 1): other bytes" }
    }
    return nil
  }

  @Test("generated files give the same packets", arguments: [false, true])
  func generated(isBig: Bool) throws {
    let sample = capture { builder, talk in
      for index in 0..<200 {
        builder.add(talk.send(.client, request("/\(index)")))
        builder.add(talk.send(.server, response(200, body: index * 7), inPiecesOf: 1400))
      }
    }
    var files = [
      sample.pcap(isBig: isBig), sample.pcap(.nanoseconds, isBig: isBig),
      sample.pcap(.modified, isBig: isBig),
    ]
    for block in CaptureBuilder.PacketBlock.allCases where block != .old {
      files.append(sample.pcapng(block: block, isBig: isBig))
    }
    for resolution in [3, 6, 9, 0x80 + 20] as [UInt8] {
      files.append(
        sample.pcapng([.init(.ethernet, resolution: resolution, offset: 7200)], isBig: isBig))
    }
    for file in files {
      try withTemporaryFile(file) { path in
        #expect(Self.libpcap(path) != nil)
        let difference = try Self.difference(path)
        #expect(difference == nil)
      }
    }
  }

  @Test(
    "captures of other projects give the same packets",
    .disabled(if: SharedCaptures.areMissing, "no shared captures here"))
  func shared() throws {
    var compared = 0
    var differences: [String] = []
    for path in SharedCaptures.files() where Self.libpcap(path) != nil {
      compared += 1
      if let difference = try Self.difference(path) {
        differences.append("\((path as NSString).lastPathComponent): \(difference)")
      }
    }
    print("compared \(compared) captures with libpcap")
    for difference in differences { print(difference) }
    #expect(compared > 1000)
    #expect(differences.isEmpty)
  }
}
