/// One gzip member that holds bytes as they are: RFC 1952 around stored blocks of RFC 1951.
public func gzipMember(_ bytes: [UInt8]) -> [UInt8] {
  var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  var start = 0
  repeat {
    let end = min(start + 0xFFFF, bytes.count)
    let count = UInt16(end - start)
    member.append(end == bytes.count ? 1 : 0)
    for number in [count, ~count] { member += [UInt8(number & 0xFF), UInt8(number >> 8)] }
    member += bytes[start..<end]
    start = end
  } while start < bytes.count
  var checksum = ~UInt32(0)
  for byte in bytes {
    checksum ^= UInt32(byte)
    for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
  }
  for number in [~checksum, UInt32(truncatingIfNeeded: bytes.count)] {
    member += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
  return member
}
