// Writes input that is made to exhaust a reader, to standard output: one kind of flood or bomb, of
// as many pieces as asked for. `withstand` runs Postflight on each; the tests run small ones.
//
// usage: generate-flood NAME COUNT
//        generate-flood --list        each name, the count of a full run, and the form of the input
#include <string.h>

#include "traffic.h"

static uint64_t now = 1795000000000000u;  // microseconds

static void put32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24), at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8), at[3] = (uint8_t)value;
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value;
}

static void put(const void *bytes, size_t length) { fwrite(bytes, length, 1, stdout); }

// MARK: Captures: raw IPv4 packets in a classic pcap file

static void writeFileHeader(void) {
  uint32_t header[6] = {0xA1B2C3D4u, 4u << 16 | 2, 0, 0, 262144, 101};
  put(header, sizeof header);
}

static void writeIP(uint32_t source, uint32_t target, uint8_t protocol, uint32_t identification,
                    uint32_t fragment, const void *payload, uint32_t length) {
  uint32_t total = 20 + length;
  uint32_t record[4] = {(uint32_t)(now / 1000000), (uint32_t)(now % 1000000), total, total};
  uint8_t ip[20] = {0x45};
  put(record, sizeof record);
  put16(ip + 2, total), put16(ip + 4, identification), put16(ip + 6, fragment);
  ip[8] = 64, ip[9] = protocol;
  put32(ip + 12, source), put32(ip + 16, target);
  put(ip, sizeof ip);
  if (length) put(payload, length);
}

struct Side { uint32_t address, next; uint16_t port; };

enum { fin = 1, syn = 2, push = 0x18, ack = 0x10 };

static const uint32_t server = 0xC6336414u;  // 198.51.100.20

static void writeSegment(struct Side *from, const struct Side *to, int flags, const void *data,
                         uint32_t length) {
  static uint8_t packet[20 + 65000];
  memset(packet, 0, 20);
  put16(packet, from->port), put16(packet + 2, to->port);
  put32(packet + 4, from->next), put32(packet + 8, to->next);
  packet[12] = 0x50, packet[13] = (uint8_t)flags;
  put16(packet + 14, 0xFAF0);
  memcpy(packet + 20, data, length);
  writeIP(from->address, to->address, 6, 1, 0, packet, 20 + length);
  from->next += length + ((flags & (syn | fin)) != 0);
}

// Connection number `n` to a port of the server: address and port are its own.
static void openSides(uint32_t n, uint16_t port, struct Side *client, struct Side *target) {
  *client = (struct Side){0x0A000001u + n / 50000, 1000, (uint16_t)(10000 + n % 50000)};
  *target = (struct Side){server, 5000, port};
}

static void handshake(struct Side *client, struct Side *target) {
  writeSegment(client, target, syn, "", 0);
  writeSegment(target, client, syn | ack, "", 0);
  writeSegment(client, target, ack, "", 0);
}

static void halfOpen(uint32_t count) {
  for (uint32_t n = 0; n < count; n++) {
    struct Side client, target;
    openSides(n, 80, &client, &target);
    writeSegment(&client, &target, syn, "", 0);
    now += 10;
  }
}

static void fragments(uint32_t count) {
  uint8_t payload[1480] = {0};
  for (uint32_t n = 0; n < count; n++) {
    // The first or a middle part of a datagram of which the rest never comes.
    writeIP(0x0A000001u + n / 60000, server, 6, n & 0xFFFF, 0x2000 | (n % 8) * 185, payload, 1480);
    now += 10;
  }
}

static void outOfOrder(uint32_t count) {
  enum { connections = 1000 };
  static struct Side clients[connections], targets[connections];
  static char data[1000];
  memset(data, 'x', sizeof data);
  for (uint32_t n = 0; n < count; n++) {
    uint32_t at = n % connections;
    if (n < connections) {
      openSides(at, 80, &clients[at], &targets[at]);
      handshake(&clients[at], &targets[at]);
      writeSegment(&clients[at], &targets[at], push, "POST / HTTP/1.1\r\nHost: a\r\n", 26);
    }
    // Every second one is never sent, and those that are come in a random order.
    struct Side from = clients[at];
    from.next += 1000 + 2000 * randomBelow(900);
    writeSegment(&from, &targets[at], push, data, sizeof data);
    now += 1;
  }
}

static void endlessHeads(uint32_t count) {
  enum { open = 20000 };
  static struct Side clients[open], targets[open];
  static char line[1100];
  memset(line, 'x', sizeof line);
  memcpy(line, "X-A: ", 5), memcpy(line + sizeof line - 2, "\r\n", 2);
  for (uint32_t n = 0; n < count; n++) {
    uint32_t at = n % open;
    if (n < open) {
      openSides(at, 80, &clients[at], &targets[at]);
      handshake(&clients[at], &targets[at]);
      writeSegment(&clients[at], &targets[at], push, "GET / HTTP/1.1\r\nHost: a\r\n", 25);
    } else {
      writeSegment(&clients[at], &targets[at], push, line, sizeof line);
    }
    now += 2;
  }
}

static void unansweredRequests(uint32_t count) {
  static char request[6000];
  int length = snprintf(
      request, sizeof request,
      "OPTIONS /a HTTP/1.1\r\nHost: api.test\r\nOrigin: http://page.test\r\n"
      "User-Agent: Mozilla/5.0 Chrome/140.0.0.0\r\n"
      "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: ");
  while (length < 5000) length += snprintf(request + length, 20, "x-%06u,", randomBelow(999999));
  length += snprintf(request + length, 20, "x\r\n\r\n");
  for (uint32_t n = 0; n < count; n++) {
    struct Side client, target;
    openSides(n, 80, &client, &target);
    handshake(&client, &target);
    writeSegment(&client, &target, push, request, (uint32_t)length);
    now += 2;
  }
}

static void interfaces(uint32_t count) {
  uint32_t section[7] = {0x0A0D0D0Au, 28, 0x1A2B3C4Du, 1, 0xFFFFFFFFu, 0xFFFFFFFFu, 28};
  put(section, sizeof section);
  for (uint32_t n = 0; n < count; n++) {
    uint32_t interface[5] = {1, 20, 101, 0, 20};
    put(interface, sizeof interface);
  }
  uint8_t ip[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 10, 0, 0, 1, 10, 0, 0, 2};
  uint32_t packet[7] = {6, 32 + 20, count - 1, 0, 0, 20, 20};
  uint32_t end = 32 + 20;
  put(packet, sizeof packet), put(ip, sizeof ip), put(&end, 4);
}

// MARK: HTTP/2

static uint32_t frame(uint8_t *out, uint32_t length, uint8_t type, uint8_t flags, uint32_t stream) {
  put32(out, length << 8 | type), out[4] = flags;
  put32(out + 5, stream);
  return 9;
}

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void openHTTP2(struct Side *client, struct Side *target) {
  uint8_t settings[9 + 6];
  handshake(client, target);
  writeSegment(client, target, push, preface, sizeof preface - 1);
  writeSegment(client, target, push, settings, frame(settings, 0, 4, 0, 0));
  // SETTINGS_HEADER_TABLE_SIZE of 64 KiB: what the client's encoder may then use.
  frame(settings, 6, 4, 0, 0);
  memcpy(settings + 9, "\0\1\0\1\0\0", 6);
  writeSegment(target, client, push, settings, sizeof settings);
}

// A literal field line without a Huffman code; returns its length.
static uint32_t literal(uint8_t *out, uint8_t kind, const char *name, const char *value,
                        uint32_t length) {
  uint32_t at = 0, names = (uint32_t)strlen(name);
  out[at++] = kind, out[at++] = (uint8_t)names;
  memcpy(out + at, name, names), at += names;
  if (length < 127) {
    out[at++] = (uint8_t)length;
  } else {
    uint32_t rest = length - 127;
    out[at++] = 127;
    while (rest > 127) out[at++] = (uint8_t)(rest & 127) | 128, rest >>= 7;
    out[at++] = (uint8_t)rest;
  }
  memcpy(out + at, value, length);
  return at + length;
}

// GET https://api.test/ of another page, as a header block.
static uint32_t requestBlock(uint8_t *out) {
  uint32_t at = 0;
  out[at++] = 0x82, out[at++] = 0x87, out[at++] = 0x84;
  at += literal(out + at, 0, ":authority", "api.test", 8);
  at += literal(out + at, 0, "user-agent", "Mozilla/5.0 Chrome/140.0.0.0", 28);
  return at + literal(out + at, 0, "origin", "https://page.test", 17);
}

static void http2Streams(uint32_t count) {
  uint8_t bytes[512];
  struct Side client, target;
  for (uint32_t n = 0; n < count; n++) {
    if (n % 100000 == 0) {
      openSides(n / 100000, 80, &client, &target);
      openHTTP2(&client, &target);
    }
    uint32_t length = requestBlock(bytes + 9);
    frame(bytes, length, 1, 5, 2 * (n % 100000) + 1);
    writeSegment(&client, &target, push, bytes, 9 + length);
    now += 1;
  }
}

static void http2Tables(uint32_t count) {
  static uint8_t bytes[16384 + 64];
  static char value[8000];
  memset(value, 'v', sizeof value);
  for (uint32_t n = 0; n < count; n++) {
    struct Side client, target;
    openSides(n, 80, &client, &target);
    openHTTP2(&client, &target);
    for (uint32_t k = 0; k < 8; k++) {
      // A table size update, then a field that is added to the table.
      uint32_t at = 9, length;
      memcpy(bytes + at, "\x3f\xe1\xff\x03", 4), at += 4;
      length = requestBlock(bytes + at), at += length;
      at += literal(bytes + at, 0x40, "x-table", value, sizeof value);
      frame(bytes, at - 9, 1, 5, 2 * k + 1);
      writeSegment(&client, &target, push, bytes, at);
      now += 5;
    }
  }
}

static void http2Updates(uint32_t count) {
  static uint8_t bytes[16384 + 64];
  struct Side client, target;
  openSides(0, 80, &client, &target);
  openHTTP2(&client, &target);
  for (uint32_t n = 0; n < count; n++) {
    // Emptied, made large again, and filled with the smallest fields, which the next one takes out.
    uint32_t at = 9;
    memcpy(bytes + at, "\x20\x3f\xe1\x1f", 4), at += 4;
    at += requestBlock(bytes + at);
    for (int k = 0; k < 120; k++) at += literal(bytes + at, 0x40, "a", "b", 1);
    frame(bytes, at - 9, 1, 5, 2 * (n % 1000000) + 1);
    writeSegment(&client, &target, push, bytes, at);
    now += 5;
  }
}

static void http2References(uint32_t count) {
  static uint8_t bytes[65000];
  static char blanks[15000];
  memset(blanks, ' ', sizeof blanks);
  struct Side client, target;
  openSides(0, 80, &client, &target);
  openHTTP2(&client, &target);
  // A table of 64 KiB, and in it one value that looks as if it had to be searched for its end.
  uint32_t at = 9;
  memcpy(bytes + at, "\x3f\xe1\xff\x03", 4), at += 4;
  at += requestBlock(bytes + at);
  at += literal(bytes + at, 0x40, ":method", blanks, sizeof blanks);
  frame(bytes, at - 9, 1, 5, 1);
  writeSegment(&client, &target, push, bytes, at);
  // Every byte of these blocks stands for that field.
  memset(bytes + 9, 0xBE, 16000);
  for (uint32_t n = 0; n < count / 16000; n++) {
    frame(bytes, 16000, 1, 5, 2 * n + 3);
    writeSegment(&client, &target, push, bytes, 9 + 16000);
    now += 5;
  }
}

static void http2Continuations(uint32_t count) {
  static uint8_t bytes[16384 + 64];
  struct Side client, target;
  openSides(0, 80, &client, &target);
  openHTTP2(&client, &target);
  uint32_t length = requestBlock(bytes + 9);
  frame(bytes, length, 1, 1, 1);
  writeSegment(&client, &target, push, bytes, 9 + length);
  for (uint32_t n = 0; n < count; n++) {
    uint32_t at = 9 + literal(bytes + 9, 0, "x-more", "0123456789", 10);
    frame(bytes, at - 9, 9, 0, 1);
    writeSegment(&client, &target, push, bytes, at);
    now += 1;
  }
}

// MARK: TLS and QUIC

static void clientHellos(uint32_t count) {
  static uint8_t hello[5 + 1200] = {22, 3, 1, 0x3F, 0xFF, 1, 0, 0x3F, 0xFB, 3, 3};
  for (uint32_t n = 0; n < count; n++) {
    struct Side client, target;
    openSides(n, 443, &client, &target);
    handshake(&client, &target);
    // A record of 16 KiB of which only the beginning comes.
    writeSegment(&client, &target, push, hello, sizeof hello);
    now += 2;
  }
}

static void quicFlows(uint32_t count) {
  uint8_t datagram[8 + 1200] = {0};
  for (uint32_t n = 0; n < count; n++) {
    put16(datagram, 10000 + n % 50000), put16(datagram + 2, 443), put16(datagram + 4, 1208);
    datagram[8] = 0xC3, datagram[12] = 1, datagram[13] = 8;
    put32(datagram + 14, n), put32(datagram + 18, n * 2654435761u);
    writeIP(0x0A000001u + n / 50000, server, 17, 1, 0, datagram, sizeof datagram);
    now += 2;
  }
}

// MARK: Logs of the format nginx-cors

struct Line {
  uint32_t client, agent;  // numbers of which address and user agent are made
  const char *method, *host, *path, *origin, *acrm, *acrh, *acao, *acah;
};

static void writeLine(const struct Line *line) {
  printf("10.%u.%u.%u [2026-11-24T23:35:54+00:00] %llu.%03u 0.000 http://%s \"%s %s HTTP/1.1\" 204 0 "
         "origin=\"%s\" acrm=\"%s\" acrh=\"%s\" fetch-mode=\"cors\" fetch-site=\"-\" fetch-dest=\"-\" "
         "content-type=\"-\" cookie=0 authorization=0 acao=\"%s\" acac=\"-\" acam=\"GET, PUT\" "
         "acah=\"%s\" max-age=\"600\" vary=\"Origin\" location=\"-\" upstream=- cache=- xff=\"-\" "
         "ua=\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.%u.0 Safari/537.36\" rid=-\n",
         line->client >> 16 & 255, line->client >> 8 & 255, line->client & 255,
         (unsigned long long)(now / 1000000), (unsigned)(now / 1000 % 1000), line->host,
         line->method, line->path, line->origin, line->acrm, line->acrh, line->acao, line->acah,
         line->agent);
}

static struct Line simpleLine(void) {
  return (struct Line){1, 1, "GET", "api.test", "/a", "http://page.test", "-", "-", "-", "-"};
}

static struct Line preflightLine(void) {
  return (struct Line){1, 1, "OPTIONS", "api.test", "/a", "http://page.test", "PUT", "content-type",
                       "http://page.test", "content-type"};
}

static void sameLine(uint32_t count) {
  struct Line line = simpleLine();
  for (uint32_t n = 0; n < count; n++) writeLine(&line);
}

static void manyOrigins(uint32_t count) {
  char origin[64];
  for (uint32_t n = 0; n < count; n++, now += 100) {
    struct Line line = simpleLine();
    snprintf(origin, sizeof origin, "http://page-%u.test", n);
    line.origin = origin;
    writeLine(&line);
  }
}

static void manyClients(uint32_t count) {
  for (uint32_t n = 0; n < count; n++, now += 100) {
    // A preflight whose answer is remembered, and its request.
    struct Line line = preflightLine();
    line.client = n, line.agent = n;
    writeLine(&line);
    line.method = "PUT", line.acrm = line.acrh = "-";
    writeLine(&line);
  }
}

static void manyRoutes(uint32_t count) {
  char path[64];
  for (uint32_t n = 0; n < count; n++, now += 100) {
    struct Line line = simpleLine();
    int length = snprintf(path, sizeof path, "/");
    // Letters alone, so that no part is taken for an identifier.
    for (uint32_t rest = n; rest || length == 1; rest /= 20) path[length++] = "ghijklmnopqrstuvwxyz"[rest % 20];
    path[length] = 0;
    line.path = path;
    writeLine(&line);
  }
}

static void lonelyPreflights(uint32_t count) {
  char path[64];
  for (uint32_t n = 0; n < count; n++) {
    // All at one instant, each of a client of its own, none followed by its request.
    struct Line line = preflightLine();
    snprintf(path, sizeof path, "/orders/%u", n);
    line.client = n, line.agent = n, line.path = path;
    writeLine(&line);
  }
}

static void samePreflight(uint32_t count) {
  for (uint32_t n = 0; n < count; n++) {
    struct Line line = preflightLine();
    writeLine(&line);
  }
}

static void cachedPreflights(uint32_t count) {
  char path[64];
  for (uint32_t n = 0; n < count; n++, now += 10) {
    struct Line line = preflightLine();
    snprintf(path, sizeof path, "/orders/%u", n);
    line.path = path, line.client = n % 1000;
    writeLine(&line);
    line.method = "PUT", line.acrm = line.acrh = "-";
    writeLine(&line);
  }
}

static void bigFields(uint32_t count) {
  static char names[60000], path[20000];
  // What is recognised by its beginning begins with ordinary lines.
  sameLine(20);
  for (uint32_t n = 0; n < count; n++, now += 1000) {
    struct Line line = preflightLine();
    int length = 0;
    while (length < 50000) length += snprintf(names + length, 24, "x-%08x,", nextRandom());
    names[length - 1] = 0;
    length = snprintf(path, sizeof path, "/%u?", n);
    while (length < 15000) length += snprintf(path + length, 24, "a%u=b&", randomBelow(9999));
    line.acrh = line.acah = names, line.path = path, line.client = n, line.agent = n;
    writeLine(&line);
  }
}

static void longLine(uint32_t count) {
  static char block[1000];
  memset(block, 'x', sizeof block);
  struct Line line = simpleLine();
  writeLine(&line);
  for (uint32_t n = 0; n < count; n++) put(block, sizeof block);
  put("\n", 1);
  writeLine(&line);
}

static void deepJSON(uint32_t count) {
  for (int n = 0; n < 3; n++)
    printf("{\"time\":\"2026-11-24T23:35:54Z\",\"method\":\"GET\",\"uri\":\"/a\",\"status\":200,"
           "\"origin\":\"http://page.test\",\"host\":\"api.test\",\"remote_addr\":\"10.0.0.1\"}\n");
  for (uint32_t n = 0; n < count; n++) put("{\"a\":[", 6);
  put("\n", 1);
}

static void deepRecord(uint32_t count) {
  printf("{\"schema\":\"postflight.exchange/1\",\"a\":");
  for (uint32_t n = 0; n < count; n++) put("[", 1);
  put("\n", 1);
}

static void manyFormats(uint32_t count) {
  for (uint32_t n = 0; n < count; n++)
    printf("log_format f%u '$msec $remote_addr \"$request\" $status';\n", n);
}

static void manySecrets(uint32_t count) {
  for (uint32_t n = 0; n < count; n++)
    printf("CLIENT_RANDOM %08x%056u %096u\n", n, 0, n);
}

// The form says what the input is given as: `-` on standard input, `gzip` the same packed, `record`
// to `replay`, `format` and `keys` as the file of that option.
static const struct {
  const char *name;
  uint32_t count;
  const char *form;
  void (*write)(uint32_t);
  int isPcap;
} floods[] = {
    {"half-open-connections", 1000000, "-", halfOpen, 1},
    {"ip-fragments", 1000000, "-", fragments, 1},
    {"out-of-order-segments", 3000000, "-", outOfOrder, 1},
    {"endless-heads", 1000000, "-", endlessHeads, 1},
    {"unanswered-requests", 200000, "-", unansweredRequests, 1},
    {"pcapng-interfaces", 1000000, "-", interfaces, 0},
    {"http2-streams", 1000000, "-", http2Streams, 1},
    {"http2-tables", 10000, "-", http2Tables, 1},
    {"http2-table-updates", 100000, "-", http2Updates, 1},
    {"http2-references", 16000000, "-", http2References, 1},
    {"http2-continuations", 1000000, "-", http2Continuations, 1},
    {"client-hellos", 300000, "-", clientHellos, 1},
    {"quic-flows", 1000000, "-", quicFlows, 1},
    {"origins", 1000000, "-", manyOrigins, 0},
    {"clients", 1000000, "-", manyClients, 0},
    {"routes", 1000000, "-", manyRoutes, 0},
    {"lonely-preflights", 1000000, "-", lonelyPreflights, 0},
    {"same-preflight", 1000000, "-", samePreflight, 0},
    {"cached-preflights", 1000000, "-", cachedPreflights, 0},
    {"big-fields", 20000, "-", bigFields, 0},
    {"gigabyte-line", 1000000, "-", longLine, 0},
    {"gzip-bomb", 4000000, "gzip", sameLine, 0},
    {"deep-json", 10000000, "-", deepJSON, 0},
    {"deep-record", 5000000, "record", deepRecord, 0},
    {"log-formats", 240000, "format", manyFormats, 0},
    {"tls-secrets", 1200000, "keys", manySecrets, 0},
};

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "--list")) {
    for (size_t n = 0; n < COUNT(floods); n++)
      printf("%s %u %s\n", floods[n].name, floods[n].count, floods[n].form);
    return 0;
  }
  for (size_t n = 0; argc == 3 && n < COUNT(floods); n++) {
    if (strcmp(argv[1], floods[n].name)) continue;
    if (floods[n].isPcap) writeFileHeader();
    floods[n].write((uint32_t)strtoul(argv[2], NULL, 10));
    return fflush(stdout) != 0;
  }
  fprintf(stderr, "usage: generate-flood NAME COUNT | --list\n");
  return 64;
}
