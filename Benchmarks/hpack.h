// Compresses the header blocks of one direction of an HTTP/2 connection, as browsers and servers
// do: Huffman-coded, with a dynamic table of 4096 bytes. RFC 7541.
#ifndef HPACK_H
#define HPACK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { largestTable = 4096, mostEntries = largestTable / 32 };

// Bits of the code of each byte; those of one length follow each other.
static const uint8_t huffmanLengths[257] = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30};
static uint32_t huffmanCodes[257];

static void prepareHuffman(void) {
  uint32_t next = 0;
  for (int length = 1; length <= 30; length++) {
    next <<= 1;
    for (int symbol = 0; symbol < 257; symbol++)
      if (huffmanLengths[symbol] == length) huffmanCodes[symbol] = next++;
  }
}

// The part of the static table that the traffic uses; an empty value stands for none.
static const struct StaticField {
  uint8_t index;
  const char *name, *value;
} staticFields[] = {
    {1, ":authority", ""}, {2, ":method", "GET"}, {3, ":method", "POST"}, {4, ":path", "/"},
    {7, ":scheme", "https"}, {8, ":status", "200"}, {9, ":status", "204"}, {13, ":status", "404"},
    {16, "accept-encoding", "gzip, deflate"}, {17, "accept-language", ""}, {19, "accept", ""},
    {20, "access-control-allow-origin", ""}, {24, "cache-control", ""}, {28, "content-length", ""},
    {31, "content-type", ""}, {32, "cookie", ""}, {33, "date", ""}, {34, "etag", ""},
    {51, "referer", ""}, {54, "server", ""}, {58, "user-agent", ""}, {59, "vary", ""},
};

struct HeaderTable {
  struct HeaderEntry {
    char *name, *value;
    uint32_t size;
  } entries[mostEntries];  // a ring; entry `newest` is that with the index 62
  uint32_t newest, count, size;
};

static void emptyTable(struct HeaderTable *t) {
  for (uint32_t i = 0; i < t->count; i++) {
    struct HeaderEntry *e = &t->entries[(t->newest + mostEntries - i) % mostEntries];
    free(e->name), free(e->value);
  }
  memset(t, 0, sizeof *t);
}

static void remember(struct HeaderTable *t, const char *name, const char *value) {
  uint32_t size = (uint32_t)(strlen(name) + strlen(value)) + 32;
  while (t->count && t->size + size > largestTable) {
    struct HeaderEntry *e = &t->entries[(t->newest + mostEntries - --t->count) % mostEntries];
    t->size -= e->size;
    free(e->name), free(e->value);
  }
  t->newest = (t->newest + 1) % mostEntries;
  t->entries[t->newest] = (struct HeaderEntry){strdup(name), strdup(value), size};
  t->count++, t->size += size;
}

static uint8_t *putInteger(uint8_t *at, uint32_t value, int prefix, uint8_t pattern) {
  uint32_t mask = (1u << prefix) - 1;
  if (value < mask) {
    *at++ = (uint8_t)(pattern | value);
    return at;
  }
  *at++ = (uint8_t)(pattern | mask);
  for (value -= mask; value >= 128; value >>= 7) *at++ = (uint8_t)(value | 128);
  *at++ = (uint8_t)value;
  return at;
}

static uint8_t *putString(uint8_t *at, const char *text) {
  uint32_t bits = 0, held = 0;
  for (const char *c = text; *c; c++) bits += huffmanLengths[(uint8_t)*c];
  at = putInteger(at, (bits + 7) / 8, 7, 0x80);
  uint64_t window = 0;
  for (const char *c = text; *c; c++) {
    window = window << huffmanLengths[(uint8_t)*c] | huffmanCodes[(uint8_t)*c];
    held += huffmanLengths[(uint8_t)*c];
    for (; held >= 8; held -= 8) *at++ = (uint8_t)(window >> (held - 8));
  }
  if (held) *at++ = (uint8_t)(window << (8 - held) | (0xFFu >> held));
  return at;
}

// Writes a field and returns the place behind it. `isKept` tells to insert it into the table.
static uint8_t *putField(uint8_t *at, struct HeaderTable *t, const char *name, const char *value,
                         int isKept) {
  uint32_t nameIndex = 0;
  for (size_t i = 0; i < sizeof staticFields / sizeof staticFields[0]; i++) {
    if (strcmp(staticFields[i].name, name)) continue;
    if (*value && !strcmp(staticFields[i].value, value))
      return putInteger(at, staticFields[i].index, 7, 0x80);
    if (!nameIndex) nameIndex = staticFields[i].index;
  }
  for (uint32_t i = 0; i < t->count; i++) {
    struct HeaderEntry *e = &t->entries[(t->newest + mostEntries - i) % mostEntries];
    if (strcmp(e->name, name)) continue;
    if (!strcmp(e->value, value)) return putInteger(at, 62 + i, 7, 0x80);
    if (!nameIndex) nameIndex = 62 + i;
  }
  at = isKept ? putInteger(at, nameIndex, 6, 0x40) : putInteger(at, nameIndex, 4, 0);
  if (!nameIndex) at = putString(at, name);
  at = putString(at, value);
  if (isKept) remember(t, name, value);
  return at;
}

#endif
