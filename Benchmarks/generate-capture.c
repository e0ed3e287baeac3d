// Writes a capture of a web shop's edge to standard output: small HTTP/1.1 messages over many
// connections that are open at the same time, as a classic pcap file with Ethernet frames.
// Prints on standard error what is in it, as JSON: exchanges, calls, blocked.
//
// usage: generate-capture [EXCHANGES]
#include "packets.h"

enum { openConnections = 400 };

struct Connection {
  struct Peers peers;
  int exchangesLeft;
  int api;               // whose server: the API's, or the site's
  char pendingPath[128]; // of a preflight that passed: the actual request comes next
};

static struct Connection connections[openConnections];
static uint64_t exchanges, calls, blocked;
static char body[4096];

static void openConnection(struct Connection *c) {
  memset(c, 0, sizeof *c);
  pickPeers(&c->peers, 80);
  c->exchangesLeft = 10 + (int)randomBelow(60);
  c->api = chance(15);
  c->peers.server = c->api ? apiServer : siteServer;
  writeOpening(&c->peers);
}

static void writeExchange(struct Connection *c) {
  char path[128], agent[256], request[4096], response[8192];
  enum Exchange kind = nextExchange();
  // Every connection to the API is a page's of another origin; the site's carry the rest.
  if (c->api && c->pendingPath[0]) kind = actualAllowed;
  else if (c->api) while (kind <= siteForm) kind = nextExchange();
  else if (kind > siteForm) kind = sitePage;

  writeUserAgent(agent, sizeof agent, c->peers.clientNumber);
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
  writeMessage(&c->peers, 1, request, (uint32_t)length);

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
  writeMessage(&c->peers, 0, response, (uint32_t)length);

  exchanges++;
  if (kind == preflightAllowed) strcpy(c->pendingPath, path);
  if (kind == simpleBlocked || kind == preflightBlocked) blocked++;
  if (c->api && kind != preflightAllowed) calls++;
}

int main(int count, char **arguments) {
  uint64_t wanted = count > 1 ? strtoull(arguments[1], NULL, 10) : 150000;
  static const char item[] = "{\"id\":1234567,\"name\":\"running shoe\",\"price\":89.95},";
  for (size_t i = 0; i < sizeof body; i++) body[i] = item[i % (sizeof item - 1)];
  writeCaptureHeader();
  for (int i = 0; i < openConnections; i++) openConnection(&connections[i]);
  while (exchanges < wanted) {
    struct Connection *c = &connections[randomBelow(openConnections)];
    if (c->exchangesLeft-- <= 0 && !c->pendingPath[0]) {
      writeClosing(&c->peers);
      openConnection(c);
    }
    writeExchange(c);
  }
  // A preflight that nothing follows would be undetermined: let those calls end.
  for (int i = 0; i < openConnections; i++) {
    if (connections[i].pendingPath[0]) writeExchange(&connections[i]);
    writeClosing(&connections[i].peers);
  }
  fprintf(stderr, "{\"exchanges\": %llu, \"calls\": %llu, \"blocked\": %llu}\n",
          (unsigned long long)exchanges, (unsigned long long)calls, (unsigned long long)blocked);
  return fflush(stdout) || ferror(stdout);
}
