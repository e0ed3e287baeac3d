// What the two generators share: a random sequence that is the same everywhere, and the parts of
// a plausible shop's traffic.
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t randomState = 0x9E3779B97F4A7C15u;

// xorshift64*: fast, and good enough to spread a mix.
static inline uint32_t nextRandom(void) {
  randomState ^= randomState >> 12;
  randomState ^= randomState << 25;
  randomState ^= randomState >> 27;
  return (uint32_t)((randomState * 2685821657736338717u) >> 32);
}

static inline uint32_t randomBelow(uint32_t bound) {
  return (uint32_t)(((uint64_t)nextRandom() * bound) >> 32);
}

static inline int chance(uint32_t percent) { return randomBelow(100) < percent; }

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PICK(array) (array)[randomBelow(COUNT(array))]

// The user agent of client number `client`: always the same, of some 300 kinds.
static int writeUserAgent(char *out, size_t size, uint32_t client) {
  uint32_t kind = (client * 2654435761u) >> 16;
  uint32_t version = kind % 60;
  switch (kind % 5) {
    case 0:
      return snprintf(
          out, size,
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/%u.0.0.0 Safari/537.36", 90 + version);
    case 1:
      return snprintf(
          out, size, "Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101 Firefox/%u.0",
          85 + version, 85 + version);
    case 2:
      return snprintf(
          out, size,
          "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
          "Gecko) Version/17.%u Safari/605.1.15", version % 7);
    case 3:
      return snprintf(
          out, size,
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_%u like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
          "like Gecko) Version/17.%u Mobile/15E148 Safari/604.1", version % 7, version % 7);
    default:
      return snprintf(
          out, size,
          "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/%u.0.0.0 Mobile Safari/537.36", 90 + version);
  }
}

// A path of the API, most with a number or a query of their own.
static int writeApiPath(char *out, size_t size) {
  switch (randomBelow(5)) {
    case 0: return snprintf(out, size, "/v2/orders/%u", randomBelow(900000) + 100000);
    case 1: return snprintf(out, size, "/v2/products?page=%u&sort=price", randomBelow(400));
    case 2: return snprintf(out, size, "/v2/customers/%08x/addresses", nextRandom());
    case 3: return snprintf(out, size, "/v2/search?q=shoe+%u&currency=eur", randomBelow(5000));
    default: return snprintf(out, size, "/v2/carts/%08x-%04x/items", nextRandom(),
                             nextRandom() & 0xFFFF);
  }
}

// A path of the site itself.
static int writeSitePath(char *out, size_t size) {
  switch (randomBelow(5)) {
    case 0: return snprintf(out, size, "/assets/app.%08x.js", randomBelow(40) * 7919u);
    case 1: return snprintf(out, size, "/images/product/%u.webp", randomBelow(20000));
    case 2: return snprintf(out, size, "/product/%u", randomBelow(20000));
    case 3: return snprintf(out, size, "/category/shoes?page=%u", randomBelow(60));
    default: return snprintf(out, size, "/");
  }
}

// One exchange of the mix. A blocked call is one exchange without a second.
enum Exchange {
  sitePage,         // no Origin
  siteForm,         // same-origin POST with Origin
  simpleAllowed,    // cross-origin GET
  simpleBlocked,    // cross-origin GET, no Access-Control-Allow-Origin in the answer
  preflightAllowed, // followed by actualAllowed
  actualAllowed,
  preflightBlocked, // asks for a header that is not allowed
};

// Some 13 % of the exchanges are cross-origin: simple ones, preflights, and what follows those.
// One in ten of the calls fails.
static enum Exchange nextExchange(void) {
  uint32_t n = randomBelow(10000);
  if (n < 9100) return n < 8900 ? sitePage : siteForm;
  if (n < 9540) return n < 9490 ? simpleAllowed : simpleBlocked;
  return n < 9960 ? preflightAllowed : preflightBlocked;
}

#endif
