import Bytes
import Crypto
import Testing

@testable import PacketCapture

@Suite("TLS key schedule")
struct KeyScheduleTests {
  @Test(
    "traffic secrets give the keys of RFC 8448, section 3",
    arguments: [
      (
        "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
        "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"
      ),
      (
        "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
        "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"
      ),
      (
        "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"
      ),
    ])
  func trafficKeys(secret: String, key: String, iv: String) {
    let secret = SymmetricKey(data: bytes(secret))
    let first = KeySchedule.expandLabel(secret, "key", .sha256, length: 16)
    let second = KeySchedule.expandLabel(secret, "iv", .sha256, length: 12)
    #expect(first.withUnsafeBytes { hexadecimal(Array($0)) } == key)
    #expect(second.withUnsafeBytes { hexadecimal(Array($0)) } == iv)
  }

  @Test("the pseudorandom function gives the known answer for SHA-256")
  func pseudorandom() {
    let output = KeySchedule.pseudorandom(
      SymmetricKey(data: bytes("9bbe436ba940f017b17652849a71db35")), "test label",
      bytes("a0ba9f936cda311827a6f796ffd5198c"), .sha256, length: 100)
    #expect(
      hexadecimal(output) == """
        e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af\
        0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
        87347b66
        """)
  }

  @Test("a request to retry is known by the hash of its name")
  func retry() {
    let session = SyntheticTLS(.aes128)
    let hello = session.serverHello(random: SyntheticTLS.retryRandom)
    hello.withByteView { #expect(ServerHello($0.from(4))?.isRetryRequest == true) }
    session.serverHello().withByteView { bytes in
      #expect(ServerHello(bytes.from(4))?.isRetryRequest == false)
      #expect(ServerHello(bytes.from(4))?.version == 0x0304)
    }
  }

  @Test("cipher suites without AEAD are not taken")
  func suites() {
    for number: UInt16 in [0x002F, 0x003C, 0xC013, 0xC027, 0xC09C, 0xCC13, 0x0005] {
      #expect(CipherSuite(number, isTLS13: false) == nil)
    }
    for number: UInt16 in [0x1304, 0x1305, 0xC02F] {
      #expect(CipherSuite(number, isTLS13: true) == nil)
    }
    #expect(CipherSuite(0x1301, isTLS13: false) == nil)
    #expect(CipherSuite(0x009F, isTLS13: false)?.algorithm == .aes256GCM)
    #expect(CipherSuite(0xC02B, isTLS13: false)?.algorithm == .aes128GCM)
    #expect(CipherSuite(0xC02C, isTLS13: false)?.hash == .sha384)
  }

  @Test("hello messages survive every cut")
  func cuts() {
    var session = SyntheticTLS(.aes128)
    session.offersEarlyData = true
    let client = Array(session.clientHello.dropFirst(4))
    let server = Array(session.serverHello().dropFirst(4))
    client.withByteView { bytes in
      #expect(ClientHello(bytes)?.serverName == "api.example")
      #expect(ClientHello(bytes)?.offersEarlyData == true)
    }
    for length in 0..<client.count {
      client.withByteView { whole in
        let hello = ClientHello(whole.part(0, length))
        #expect(hello == nil || hello?.serverName == nil)
      }
    }
    for length in 0..<server.count {
      server.withByteView { whole in
        let hello = ServerHello(whole.part(0, length))
        #expect(hello == nil || hello?.version == 0x0303)
      }
    }
  }
}
