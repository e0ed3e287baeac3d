// Writes a capture of a web shop's edge to standard output: small HTTP/1.1 messages over many
// connections that are open at the same time, as a classic pcap file with Ethernet frames.
// Prints on standard error what is in it, as JSON: exchanges, calls, blocked.
//
// usage: generate-capture [EXCHANGES]
#include <string.h>

#include "traffic.h"

enum { openConnections = 400, largestSegment = 1448, headersOfAPacket = 14 + 20 + 32 };

struct Connection {
  uint32_t client, clientNumber, clientNext, serverNext;
  uint16_t port;
  int exchangesLeft;
  int api;               // whose server: the API's, or the site's
  char pendingPath[128]; // of a preflight that passed: the actual request comes next
};

static struct Connection connections[openConnections];
static uint64_t now = 1795000000000000u;  // microseconds
static uint64_t exchanges, calls, blocked;
static char body[4096];

static void put32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24), at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8), at[3] = (uint8_t)value;
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value;
}

// One frame. TCP checksums stay 0, as with checksum offloading.
static void writePacket(struct Connection *c, int fromClient, int flags, const char *data,
                        uint32_t length) {
  static uint16_t identification;
  uint8_t packet[16 + headersOfAPacket] = {0};
  uint32_t frame = headersOfAPacket + length;
  now += 1 + randomBelow(60);
  uint32_t record[4] = {(uint32_t)(now / 1000000), (uint32_t)(now % 1000000), frame, frame};
  memcpy(packet, record, 16);
  uint8_t *ethernet = packet + 16, *ip = ethernet + 14, *tcp = ip + 20;
  memcpy(ethernet, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
  uint32_t server = 0xC6336400u + (c->api ? 20 : 10);  // 198.51.100.0/24
  ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
  put16(ip + 2, 52 + length);
  put16(ip + 4, ++identification);
  put32(ip + 12, fromClient ? c->client : server);
  put32(ip + 16, fromClient ? server : c->client);
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
  sum = (sum & 0xFFFF) + (sum >> 16);
  put16(ip + 10, ~(sum + (sum >> 16)) & 0xFFFF);
  put16(tcp, fromClient ? c->port : 80);
  put16(tcp + 2, fromClient ? 80 : c->port);
  put32(tcp + 4, fromClient ? c->clientNext : c->serverNext);
  put32(tcp + 8, flags == 2 ? 0 : fromClient ? c->serverNext : c->clientNext);
  tcp[12] = 0x80, tcp[13] = (uint8_t)flags;
  put16(tcp + 14, 0xFAF0);
  memcpy(tcp + 20, "\x01\x01\x08\x0a", 4);
  put32(tcp + 24, (uint32_t)(now / 1000));
  fwrite(packet, sizeof packet, 1, stdout);
  if (length) fwrite(data, length, 1, stdout);
  uint32_t advance = length + ((flags & 3) != 0);
  if (fromClient) c->clientNext += advance; else c->serverNext += advance;
}

static void writeMessage(struct Connection *c, int fromClient, const char *data, uint32_t length) {
  for (uint32_t sent = 0; sent < length; sent += largestSegment) {
    uint32_t part = length - sent < largestSegment ? length - sent : largestSegment;
    writePacket(c, fromClient, 0x18, data + sent, part);
  }
  writePacket(c, !fromClient, 0x10, NULL, 0);
}

static void openConnection(struct Connection *c) {
  memset(c, 0, sizeof *c);
  c->clientNumber = randomBelow(3000);
  c->client = 0xCB007100u + 0x10000u * (c->clientNumber / 250) + c->clientNumber % 250 + 1;
  c->port = (uint16_t)(20000 + randomBelow(40000));
  c->clientNext = nextRandom(), c->serverNext = nextRandom();
  c->exchangesLeft = 10 + (int)randomBelow(60);
  c->api = chance(15);
  writePacket(c, 1, 2, NULL, 0);
  writePacket(c, 0, 0x12, NULL, 0);
  writePacket(c, 1, 0x10, NULL, 0);
}

static void closeConnection(struct Connection *c) {
  writePacket(c, 1, 0x11, NULL, 0);
  writePacket(c, 0, 0x11, NULL, 0);
  writePacket(c, 1, 0x10, NULL, 0);
}

static void writeExchange(struct Connection *c) {
  char path[128], agent[256], request[4096], response[8192];
  enum Exchange kind = nextExchange();
  // Every connection to the API is a page's of another origin; the site's carry the rest.
  if (c->api && c->pendingPath[0]) kind = actualAllowed;
  else if (c->api) while (kind <= siteForm) kind = nextExchange();
  else if (kind > siteForm) kind = sitePage;

  writeUserAgent(agent, sizeof agent, c->clientNumber);
  if (kind == actualAllowed) strcpy(path, c->pendingPath), c->pendingPath[0] = 0;
  else if (c->api) writeApiPath(path, sizeof path);
  else writeSitePath(path, sizeof path);

  int preflight = kind == preflightAllowed || kind == preflightBlocked;
  int changes = kind == siteForm || kind == actualAllowed;
  const char *method = preflight ? "OPTIONS" : kind == siteForm ? "POST"
                     : kind == actualAllowed ? "PUT" : "GET";
  const char *origin = c->api || kind == siteForm ? "Origin: http://www.example.com\r\n" : "";
  const char *asks =
      kind == preflightAllowed ? "Access-Control-Request-Method: PUT\r\n"
                                 "Access-Control-Request-Headers: content-type\r\n"
      : kind == preflightBlocked ? "Access-Control-Request-Method: PUT\r\n"
                                   "Access-Control-Request-Headers: content-type,x-release\r\n"
      : changes ? "Content-Type: application/json\r\nContent-Length: 24\r\n"
      : c->api ? "" : "Cookie: session=0123456789abcdef0123456789abcdef; consent=1; ab=7\r\n";
  int length = snprintf(
      request, sizeof request,
      "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: keep-alive\r\nUser-Agent: %s\r\nAccept: */*\r\n"
      "%s%sReferer: http://www.example.com/category/shoes?page=%u\r\n"
      "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
      "\r\n%s",
      method, path, c->api ? "api.example.com" : "www.example.com", agent, origin, asks,
      randomBelow(60), changes ? "{\"items\":[1,2],\"page\":3}" : "");
  writeMessage(c, 1, request, (uint32_t)length);

  now += 200 + randomBelow(3000);
  uint32_t bytes = preflight ? 0 : 120 + randomBelow(1500);
  char framing[64];
  int chunked = bytes && chance(15);
  if (chunked) strcpy(framing, "Transfer-Encoding: chunked\r\n");
  else snprintf(framing, sizeof framing, "Content-Length: %u\r\n", bytes);
  const char *allows =
      preflight ? "Access-Control-Allow-Origin: http://www.example.com\r\n"
                  "Access-Control-Allow-Methods: GET, PUT, DELETE\r\n"
                  "Access-Control-Allow-Headers: content-type, authorization\r\n"
                  "Access-Control-Max-Age: 600\r\nVary: Origin\r\n"
      : c->api && kind != simpleBlocked
          ? "Access-Control-Allow-Origin: http://www.example.com\r\nVary: Origin\r\n" : "";
  length = snprintf(
      response, sizeof response,
      "HTTP/1.1 %s\r\nServer: nginx\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
      "Content-Type: application/json\r\n%sConnection: keep-alive\r\n"
      "Cache-Control: no-cache, private\r\nETag: \"%08x\"\r\n%sX-Request-Id: %08x%08x\r\n\r\n",
      preflight ? "204 No Content" : chance(3) ? "404 Not Found" : "200 OK",
      preflight ? "" : framing, nextRandom(), allows, nextRandom(), nextRandom());
  if (chunked) length += snprintf(response + length, 16, "%x\r\n", bytes);
  memcpy(response + length, body, bytes);
  length += (int)bytes;
  if (chunked) length += snprintf(response + length, 16, "\r\n0\r\n\r\n");
  writeMessage(c, 0, response, (uint32_t)length);

  exchanges++;
  if (kind == preflightAllowed) strcpy(c->pendingPath, path);
  if (kind == simpleBlocked || kind == preflightBlocked) blocked++;
  if (c->api && kind != preflightAllowed) calls++;
}

int main(int count, char **arguments) {
  uint64_t wanted = count > 1 ? strtoull(arguments[1], NULL, 10) : 150000;
  static const char item[] = "{\"id\":1234567,\"name\":\"running shoe\",\"price\":89.95},";
  for (size_t i = 0; i < sizeof body; i++) body[i] = item[i % (sizeof item - 1)];
  uint32_t header[6] = {0xA1B2C3D4, 2 | 4 << 16, 0, 0, 262144, 1};
  fwrite(header, sizeof header, 1, stdout);
  for (int i = 0; i < openConnections; i++) openConnection(&connections[i]);
  while (exchanges < wanted) {
    struct Connection *c = &connections[randomBelow(openConnections)];
    if (c->exchangesLeft-- <= 0 && !c->pendingPath[0]) {
      closeConnection(c);
      openConnection(c);
    }
    writeExchange(c);
  }
  // A preflight that nothing follows would be undetermined: let those calls end.
  for (int i = 0; i < openConnections; i++) {
    if (connections[i].pendingPath[0]) writeExchange(&connections[i]);
    closeConnection(&connections[i]);
  }
  fprintf(stderr, "{\"exchanges\": %llu, \"calls\": %llu, \"blocked\": %llu}\n",
          (unsigned long long)exchanges, (unsigned long long)calls, (unsigned long long)blocked);
  return fflush(stdout) || ferror(stdout);
}
