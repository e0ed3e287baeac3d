// Writes an nginx access log of a web shop to standard output, in the text format of
// SampleCaptures/nginx-cors.conf or as JSON with the same fields (escape=json).
// Prints on standard error what is in it, as JSON: lines, calls, blocked, undetermined.
//
// usage: generate-log text|json [LINES]
#include <string.h>

#include "traffic.h"

enum { clients = 20000 };

static uint64_t now = 1795000000000u;  // milliseconds
static uint64_t lines, calls, blocked, undetermined;
static int json;

struct Line {
  uint32_t client;
  int api, status, preflight, requestTime;
  const char *method, *path, *origin, *asksHeaders, *contentType, *allowOrigin, *allowMethods,
      *allowHeaders, *maxAge;
};

static const char *orAbsent(const char *value) { return value ? value : json ? "" : "-"; }

static void writeLine(const struct Line *l) {
  char agent[256], address[32], time[40];
  uint32_t id[4] = {nextRandom(), nextRandom(), nextRandom(), nextRandom()};
  // A million lines or so an hour: the log of a busy edge over some hours.
  now += randomBelow(8);
  uint64_t seconds = now / 1000 % 86400;
  snprintf(time, sizeof time, "2026-11-%02uT%02u:%02u:%02u+00:00",
           (unsigned)(18 + (now / 1000 - 1795000000) / 86400), (unsigned)(seconds / 3600),
           (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
  snprintf(address, sizeof address, "203.0.%u.%u", 113 + l->client / 250, l->client % 250 + 1);
  writeUserAgent(agent, sizeof agent, l->client);
  printf(
      json
          ? "{\"remote_addr\":\"%s\",\"time\":\"%s\",\"msec\":%llu.%03u,\"request_time\":0.%03u,"
            "\"scheme\":\"https\",\"host\":\"%s\",\"method\":\"%s\",\"uri\":\"%s\","
            "\"protocol\":\"HTTP/1.1\",\"status\":%d,\"bytes\":%u,\"origin\":\"%s\","
            "\"access_control_request_method\":\"%s\",\"access_control_request_headers\":\"%s\","
            "\"sec_fetch_mode\":\"%s\",\"sec_fetch_site\":\"%s\",\"sec_fetch_dest\":\"empty\","
            "\"content_type\":\"%s\",\"has_cookie\":%d,\"has_authorization\":0,"
            "\"access_control_allow_origin\":\"%s\",\"access_control_allow_credentials\":\"\","
            "\"access_control_allow_methods\":\"%s\",\"access_control_allow_headers\":\"%s\","
            "\"access_control_max_age\":\"%s\",\"vary\":\"Origin\",\"location\":\"\","
            "\"upstream_status\":\"%d\",\"upstream_cache_status\":\"\","
            "\"x_forwarded_for\":\"\",\"user_agent\":\"%s\",\"request_id\":\"%08x%08x%08x%08x\"}\n"
          : "%s [%s] %llu.%03u 0.%03u https://%s \"%s %s HTTP/1.1\" %d %u origin=\"%s\" "
            "acrm=\"%s\" acrh=\"%s\" fetch-mode=\"%s\" fetch-site=\"%s\" fetch-dest=\"empty\" "
            "content-type=\"%s\" cookie=%d authorization=0 acao=\"%s\" acac=\"-\" acam=\"%s\" "
            "acah=\"%s\" max-age=\"%s\" vary=\"Origin\" location=\"-\" upstream=%d cache=- "
            "xff=\"-\" ua=\"%s\" rid=%08x%08x%08x%08x\n",
      address, time, (unsigned long long)(now / 1000), (unsigned)(now % 1000), l->requestTime,
      l->api ? "api.example.com" : "www.example.com", l->method, l->path, l->status,
      randomBelow(30000), orAbsent(l->origin), orAbsent(l->preflight ? "PUT" : NULL),
      orAbsent(l->asksHeaders), l->api ? "cors" : "no-cors",
      l->api ? "same-site" : "same-origin", orAbsent(l->contentType), !l->api,
      orAbsent(l->allowOrigin), orAbsent(l->allowMethods), orAbsent(l->allowHeaders),
      orAbsent(l->maxAge), l->status, agent, id[0], id[1], id[2], id[3]);
  lines++;
}

static void writeExchange(void) {
  static const char shop[] = "https://www.example.com";
  char path[128];
  struct Line l = {.client = randomBelow(clients), .method = "GET", .path = path,
                   .status = chance(3) ? 404 : 200, .requestTime = (int)randomBelow(400)};
  enum Exchange kind = nextExchange();
  if (kind <= siteForm) {
    writeSitePath(path, sizeof path);
    if (kind == siteForm) l.method = "POST", l.origin = shop, l.contentType = "application/json";
    writeLine(&l);
    return;
  }
  writeApiPath(path, sizeof path);
  l.api = 1;
  l.origin = shop;
  l.allowOrigin = kind == simpleBlocked ? NULL : shop;
  calls++;
  blocked += kind == simpleBlocked;
  // nginx may have logged one of several Access-Control-Allow-Headers lines: likely, not proved.
  undetermined += kind == preflightBlocked;
  if (kind == simpleAllowed || kind == simpleBlocked) {
    writeLine(&l);
    return;
  }
  l.preflight = 1;
  l.requestTime = 0;
  l.method = "OPTIONS";
  l.status = 204;
  l.asksHeaders = kind == preflightBlocked ? "content-type,x-release" : "content-type";
  l.allowMethods = "GET, PUT, DELETE";
  l.allowHeaders = "content-type, authorization";
  l.maxAge = "600";
  writeLine(&l);
  if (kind == preflightBlocked) return;
  // The actual request follows at once: it starts after its preflight ended.
  now += 2;
  struct Line actual = {.client = l.client, .api = 1, .status = 200, .requestTime = 1,
                        .method = "PUT", .path = path, .origin = shop, .allowOrigin = shop,
                        .contentType = "application/json"};
  writeLine(&actual);
}

int main(int count, char **arguments) {
  if (count < 2 || (strcmp(arguments[1], "text") && strcmp(arguments[1], "json"))) {
    fprintf(stderr, "usage: generate-log text|json [LINES]\n");
    return 64;
  }
  json = !strcmp(arguments[1], "json");
  uint64_t wanted = count > 2 ? strtoull(arguments[2], NULL, 10) : 2000000;
  while (lines < wanted) writeExchange();
  fprintf(stderr, "{\"lines\": %llu, \"calls\": %llu, \"blocked\": %llu, \"undetermined\": %llu}\n",
          (unsigned long long)lines, (unsigned long long)calls, (unsigned long long)blocked,
          (unsigned long long)undetermined);
  return fflush(stdout) || ferror(stdout);
}
