// Writes a capture of a web shop's edge to standard output: HTTP/2 over TLS 1.3, requests in
// bursts over many connections that are open at the same time, as a classic pcap file.
// Writes the key log, and the length of each sealed content as 16 bits, to the files named.
// Prints on standard error what is in it, as JSON: exchanges, calls, blocked, records.
//
// usage: generate-tls-capture KEYS LENGTHS [EXCHANGES]
#include "hpack.h"
#include "packets.h"
#include "tls.h"

enum { openConnections = 400, burst = 4, largestBody = 24000, largestFrame = 8192 };
enum FrameType { dataFrame = 0, headersFrame = 1, settingsFrame = 4, goAwayFrame = 7,
                 windowUpdateFrame = 8 };
enum FrameFlags { endStream = 1, acknowledgement = 1, endHeaders = 4 };

struct Connection {
  struct Peers peers;
  struct Seal clientSeal, serverSeal;
  struct HeaderTable requestTable, responseTable;
  uint32_t stream;
  int exchangesLeft, api;
  char pendingPath[128];  // of a preflight that passed: the actual request comes next
};

struct Exchanged {
  enum Exchange kind;
  uint32_t stream;
};

static struct Connection connections[openConnections];
static uint64_t exchanges, calls, blocked;
static uint8_t body[largestBody];
// The frames that one side sends next, and the records that become of them.
static uint8_t frames[burst * (largestBody + 4096)], records[sizeof frames + 64 * recordOverhead];

static uint8_t *putFrame(uint8_t *at, int type, int flags, uint32_t stream, const void *payload,
                         uint32_t length) {
  put32(at, length << 8 | (uint32_t)type), at[4] = (uint8_t)flags;
  put32(at + 5, stream);
  memcpy(at + 9, payload, length);
  return at + 9 + length;
}

// Seals the frames up to `end` in as few records as they need, and writes the packets.
static void writeFrames(struct Connection *c, int fromClient, const uint8_t *end) {
  uint8_t *out = records;
  struct Seal *seal = fromClient ? &c->clientSeal : &c->serverSeal;
  for (const uint8_t *at = frames; at < end; at += largestRecord) {
    uint32_t rest = (uint32_t)(end - at);
    out = putSealed(out, seal, dataRecord, at, rest < largestRecord ? rest : largestRecord);
  }
  writeMessage(&c->peers, fromClient, records, (uint32_t)(out - records));
}

static void openConnection(struct Connection *c) {
  EVP_CIPHER_CTX *clientCipher = c->clientSeal.cipher, *serverCipher = c->serverSeal.cipher;
  memset(c, 0, sizeof *c);
  c->clientSeal.cipher = clientCipher, c->serverSeal.cipher = serverCipher;
  pickPeers(&c->peers, 443);
  c->exchangesLeft = 10 + (int)randomBelow(120);
  c->api = chance(15);
  c->peers.server = c->api ? apiServer : siteServer;
  c->stream = 1;
  writeOpening(&c->peers);
  writeHandshake(&c->peers, &c->clientSeal, &c->serverSeal,
                 c->api ? "api.example.com" : "www.example.com", "h2");

  uint8_t *at = frames;
  memcpy(at, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  at = putFrame(at + 24, settingsFrame, 0, 0, "\0\2\0\0\0\0\0\4\0\x60\0\0", 12);
  at = putFrame(at, windowUpdateFrame, 0, 0, "\x7F\xFE\0\0", 4);
  writeFrames(c, 1, at);
  at = putFrame(frames, settingsFrame, 0, 0, "\0\3\0\0\0\x80", 6);
  writeFrames(c, 0, putFrame(at, settingsFrame, acknowledgement, 0, "", 0));
  writeFrames(c, 1, putFrame(frames, settingsFrame, acknowledgement, 0, "", 0));
}

static void closeConnection(struct Connection *c) {
  uint8_t payload[8] = {0}, alert[64];
  put32(payload, c->stream > 2 ? c->stream - 2 : 0);
  writeFrames(c, 0, putFrame(frames, goAwayFrame, 0, 0, payload, sizeof payload));
  uint8_t *end = putSealed(alert, &c->clientSeal, alertRecord, (const uint8_t *)"\1", 2);
  writeMessage(&c->peers, 1, alert, (uint32_t)(end - alert));
  writeClosing(&c->peers);
  emptyTable(&c->requestTable), emptyTable(&c->responseTable);
}

// Writes the frames of a request and returns the place behind them.
static uint8_t *putRequest(uint8_t *at, struct Connection *c, struct Exchanged *e) {
  char path[128], agent[256], referer[128];
  enum Exchange kind = nextExchange();
  // Every connection to the API is a page's of another origin; the site's carry the rest.
  if (c->api && c->pendingPath[0]) kind = actualAllowed;
  else if (c->api) while (kind <= siteForm) kind = nextExchange();
  else if (kind > siteForm) kind = sitePage;
  *e = (struct Exchanged){kind, c->stream};
  c->stream += 2;

  writeUserAgent(agent, sizeof agent, c->peers.clientNumber);
  if (kind == actualAllowed) strcpy(path, c->pendingPath), c->pendingPath[0] = 0;
  else if (c->api) writeApiPath(path, sizeof path);
  else writeSitePath(path, sizeof path);
  if (kind == preflightAllowed) strcpy(c->pendingPath, path);
  snprintf(referer, sizeof referer, "https://www.example.com/category/shoes?page=%u",
           randomBelow(60));
  int preflight = kind == preflightAllowed || kind == preflightBlocked;
  int changes = kind == siteForm || kind == actualAllowed;

  uint8_t block[4096], *end = block;
  struct HeaderTable *t = &c->requestTable;
  end = putField(end, t, ":method", preflight ? "OPTIONS" : kind == siteForm ? "POST"
                                    : kind == actualAllowed ? "PUT" : "GET", 1);
  end = putField(end, t, ":authority", c->api ? "api.example.com" : "www.example.com", 1);
  end = putField(end, t, ":scheme", "https", 1);
  end = putField(end, t, ":path", path, 0);
  end = putField(end, t, "user-agent", agent, 1);
  end = putField(end, t, "accept", "*/*", 1);
  if (c->api || kind == siteForm) end = putField(end, t, "origin", "https://www.example.com", 1);
  if (preflight) {
    end = putField(end, t, "access-control-request-method", "PUT", 1);
    end = putField(end, t, "access-control-request-headers",
                   kind == preflightAllowed ? "content-type" : "content-type,x-release", 1);
  }
  if (changes) {
    end = putField(end, t, "content-type", "application/json", 1);
    end = putField(end, t, "content-length", "24", 1);
  }
  if (!c->api)
    end = putField(end, t, "cookie",
                   "session=0123456789abcdef0123456789abcdef; consent=1; ab=7", 1);
  end = putField(end, t, "referer", referer, 1);
  end = putField(end, t, "accept-encoding", "gzip, deflate, br", 1);
  end = putField(end, t, "accept-language", "en-GB,en;q=0.9,de;q=0.8", 1);
  at = putFrame(at, headersFrame, endHeaders | (changes ? 0 : endStream), e->stream, block,
                (uint32_t)(end - block));
  if (changes)
    at = putFrame(at, dataFrame, endStream, e->stream, "{\"items\":[1,2],\"page\":3}", 24);
  return at;
}

// The same for the response.
static uint8_t *putResponse(uint8_t *at, struct Connection *c, const struct Exchanged *e) {
  int preflight = e->kind == preflightAllowed || e->kind == preflightBlocked;
  uint32_t bytes = preflight ? 0
                   : !c->api && chance(30) ? 2000 + randomBelow(largestBody - 2000)
                                           : 120 + randomBelow(1500);
  char text[64];
  uint8_t block[4096], *end = block;
  struct HeaderTable *t = &c->responseTable;
  end = putField(end, t, ":status", preflight ? "204" : chance(3) ? "404" : "200", 1);
  end = putField(end, t, "server", "nginx", 1);
  snprintf(text, sizeof text, "Tue, 24 Nov 2026 10:%02u:%02u GMT",
           (unsigned)(now / 60000000 % 60), (unsigned)(now / 1000000 % 60));
  end = putField(end, t, "date", text, 1);
  if (!preflight) {
    end = putField(end, t, "content-type", "application/json", 1);
    snprintf(text, sizeof text, "%u", bytes);
    end = putField(end, t, "content-length", text, 0);
  }
  end = putField(end, t, "cache-control", "no-cache, private", 1);
  snprintf(text, sizeof text, "\"%08x\"", nextRandom());
  end = putField(end, t, "etag", text, 0);
  if (preflight || (c->api && e->kind != simpleBlocked)) {
    end = putField(end, t, "access-control-allow-origin", "https://www.example.com", 1);
    end = putField(end, t, "vary", "Origin", 1);
  }
  if (preflight) {
    end = putField(end, t, "access-control-allow-methods", "GET, PUT, DELETE", 1);
    end = putField(end, t, "access-control-allow-headers", "content-type, authorization", 1);
    end = putField(end, t, "access-control-max-age", "600", 1);
  }
  snprintf(text, sizeof text, "%08x%08x", nextRandom(), nextRandom());
  end = putField(end, t, "x-request-id", text, 0);
  at = putFrame(at, headersFrame, endHeaders | (bytes ? 0 : endStream), e->stream, block,
                (uint32_t)(end - block));
  for (uint32_t sent = 0; sent < bytes; sent += largestFrame) {
    uint32_t part = bytes - sent < largestFrame ? bytes - sent : largestFrame;
    at = putFrame(at, dataFrame, sent + part == bytes ? endStream : 0, e->stream, body + sent, part);
  }
  return at;
}

// Some requests, each in a record of its own, and then the responses to them.
static void writeBurst(struct Connection *c) {
  struct Exchanged sent[burst];
  uint32_t count = 0, wanted = 1 + randomBelow(burst);
  do {
    writeFrames(c, 1, putRequest(frames, c, &sent[count]));
    count++;
  } while (count < wanted && !c->pendingPath[0]);
  now += 200 + randomBelow(3000);
  uint8_t *at = frames;
  for (uint32_t i = 0; i < count; i++) {
    at = putResponse(at, c, &sent[i]);
    exchanges++;
    if (sent[i].kind == simpleBlocked || sent[i].kind == preflightBlocked) blocked++;
    if (c->api && sent[i].kind != preflightAllowed) calls++;
  }
  writeFrames(c, 0, at);
  c->exchangesLeft -= (int)count;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: generate-tls-capture KEYS LENGTHS [EXCHANGES]\n");
    return 64;
  }
  uint64_t wanted = count > 3 ? strtoull(arguments[3], NULL, 10) : 40000;
  keyLog = fopen(arguments[1], "w");
  recordLengths = fopen(arguments[2], "wb");
  need(keyLog && recordLengths, "opening the files");
  static const char item[] = "{\"id\":1234567,\"name\":\"running shoe\",\"price\":89.95},";
  for (size_t i = 0; i < sizeof body; i++) body[i] = (uint8_t)item[i % (sizeof item - 1)];
  prepareHuffman();
  writeCaptureHeader();
  for (int i = 0; i < openConnections; i++) openConnection(&connections[i]);
  while (exchanges < wanted) {
    struct Connection *c = &connections[randomBelow(openConnections)];
    if (c->exchangesLeft <= 0 && !c->pendingPath[0]) {
      closeConnection(c);
      openConnection(c);
    }
    writeBurst(c);
  }
  // A preflight that nothing follows would be undetermined: let those calls end.
  for (int i = 0; i < openConnections; i++) {
    while (connections[i].pendingPath[0]) writeBurst(&connections[i]);
    closeConnection(&connections[i]);
  }
  fprintf(stderr,
          "{\"exchanges\": %llu, \"calls\": %llu, \"blocked\": %llu, \"records\": %llu}\n",
          (unsigned long long)exchanges, (unsigned long long)calls, (unsigned long long)blocked,
          (unsigned long long)sealedRecords);
  need(!fclose(keyLog) && !fclose(recordLengths), "writing the files");
  return fflush(stdout) || ferror(stdout);
}
