// What the generators of captures share: TCP connections between clients and two servers, written
// as a classic pcap file with Ethernet frames to standard output.
#ifndef PACKETS_H
#define PACKETS_H

#include <string.h>

#include "traffic.h"

enum { largestSegment = 1448, headersOfAPacket = 14 + 20 + 32 };

static const uint32_t siteServer = 0xC633640Au, apiServer = 0xC6336414u;  // 198.51.100.10 and .20

struct Peers {
  uint32_t client, clientNumber, server, clientNext, serverNext;
  uint16_t clientPort, serverPort;
};

static uint64_t now = 1795000000000000u;  // microseconds

static void put32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24), at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8), at[3] = (uint8_t)value;
}

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value;
}

static void writeCaptureHeader(void) {
  uint32_t header[6] = {0xA1B2C3D4, 2 | 4 << 16, 0, 0, 262144, 1};
  fwrite(header, sizeof header, 1, stdout);
}

// One frame. TCP checksums stay 0, as with checksum offloading.
static void writePacket(struct Peers *p, int fromClient, int flags, const void *data,
                        uint32_t length) {
  static uint16_t identification;
  uint8_t packet[16 + headersOfAPacket] = {0};
  uint32_t frame = headersOfAPacket + length;
  now += 1 + randomBelow(60);
  uint32_t record[4] = {(uint32_t)(now / 1000000), (uint32_t)(now % 1000000), frame, frame};
  memcpy(packet, record, 16);
  uint8_t *ethernet = packet + 16, *ip = ethernet + 14, *tcp = ip + 20;
  memcpy(ethernet, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
  ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
  put16(ip + 2, 52 + length);
  put16(ip + 4, ++identification);
  put32(ip + 12, fromClient ? p->client : p->server);
  put32(ip + 16, fromClient ? p->server : p->client);
  uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
  sum = (sum & 0xFFFF) + (sum >> 16);
  put16(ip + 10, ~(sum + (sum >> 16)) & 0xFFFF);
  put16(tcp, fromClient ? p->clientPort : p->serverPort);
  put16(tcp + 2, fromClient ? p->serverPort : p->clientPort);
  put32(tcp + 4, fromClient ? p->clientNext : p->serverNext);
  put32(tcp + 8, flags == 2 ? 0 : fromClient ? p->serverNext : p->clientNext);
  tcp[12] = 0x80, tcp[13] = (uint8_t)flags;
  put16(tcp + 14, 0xFAF0);
  memcpy(tcp + 20, "\x01\x01\x08\x0a", 4);
  put32(tcp + 24, (uint32_t)(now / 1000));
  fwrite(packet, sizeof packet, 1, stdout);
  if (length) fwrite(data, length, 1, stdout);
  uint32_t advance = length + ((flags & 3) != 0);
  if (fromClient) p->clientNext += advance; else p->serverNext += advance;
}

// Bytes in as many segments as they need, and the acknowledgement.
static void writeMessage(struct Peers *p, int fromClient, const void *data, uint32_t length) {
  for (uint32_t sent = 0; sent < length; sent += largestSegment) {
    uint32_t part = length - sent < largestSegment ? length - sent : largestSegment;
    writePacket(p, fromClient, 0x18, (const uint8_t *)data + sent, part);
  }
  writePacket(p, !fromClient, 0x10, NULL, 0);
}

static void pickPeers(struct Peers *p, uint16_t serverPort) {
  p->clientNumber = randomBelow(3000);
  p->client = 0xCB007100u + 0x10000u * (p->clientNumber / 250) + p->clientNumber % 250 + 1;
  p->clientPort = (uint16_t)(20000 + randomBelow(40000));
  p->serverPort = serverPort;
  p->clientNext = nextRandom(), p->serverNext = nextRandom();
}

static void writeOpening(struct Peers *p) {
  writePacket(p, 1, 2, NULL, 0);
  writePacket(p, 0, 0x12, NULL, 0);
  writePacket(p, 1, 0x10, NULL, 0);
}

static void writeClosing(struct Peers *p) {
  writePacket(p, 1, 0x11, NULL, 0);
  writePacket(p, 0, 0x11, NULL, 0);
  writePacket(p, 1, 0x10, NULL, 0);
}

#endif
