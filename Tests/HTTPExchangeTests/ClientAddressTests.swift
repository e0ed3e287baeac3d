import Testing

@testable import HTTPExchange

@Suite("Client addresses")
struct ClientAddressTests {
  @Test(
    "every spelling of an address is one text",
    arguments: [
      ("192.0.2.9", "192.0.2.9"), ("192.0.2.9:4711", "192.0.2.9"),
      ("2001:db8::1", "2001:db8::1"), ("2001:DB8::1", "2001:db8::1"),
      ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
      ("2001:db8:0:0::1", "2001:db8::1"), ("[2001:DB8::1]", "2001:db8::1"),
      ("[2001:db8::0:1]:443", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
      ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("fe80::1%eth0", "fe80::1"), ("::", "::"),
      ("0:0:0:0:0:0:0:1", "::1"), ("::ffff:192.0.2.9", "192.0.2.9"),
      ("::FFFF:c000:209", "192.0.2.9"), ("[::ffff:192.0.2.9]:80", "192.0.2.9"),
      // What is no address stays.
      ("_hidden", "_hidden"), ("app-1.example", "app-1.example"), ("", ""),
      ("2001:xyz::1", "2001:xyz::1"),
      ("unix:", "unix"), ("[", "["), (":::", ":::"),
    ])
  func canonical(text: String, expected: String) {
    #expect(ClientAddress.canonical(text) == expected)
    #expect(ClientAddress.canonical(expected) == expected)
  }

  @Test("addresses of one network are told from those of the internet")
  func isInternal() {
    for text in [
      "10.0.0.1", "127.0.0.1", "192.168.1.1", "172.16.0.1", "172.31.255.255", "169.254.1.1",
      "100.64.0.1", "::1", "fd00::1", "fe80::1", "localhost",
    ] {
      #expect(ClientAddress.isInternal(text), "\(text)")
    }
    for text in [
      "203.0.113.9", "172.32.0.1", "172.15.0.1", "100.128.0.1", "192.169.0.1", "2001:db8::1", "",
      "10.0.0", "10.0.0.256", "client-token",
    ] {
      #expect(!ClientAddress.isInternal(text), "\(text)")
    }
  }
}
