// Seals the records of TLS 1.3 connections under TLS_AES_128_GCM_SHA256, with secrets out of the
// random sequence, and writes those as a key log. RFC 8446.
#ifndef TLS_H
#define TLS_H

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "packets.h"

enum { largestRecord = 16384, recordOverhead = 5 + 1 + 16 };
enum ContentType { changeCipherSpec = 20, alertRecord = 21, handshakeRecord = 22, dataRecord = 23 };

// One direction under one secret.
struct Seal {
  EVP_CIPHER_CTX *cipher;
  uint8_t iv[12];
  uint64_t sequence;
};

static uint64_t sealedRecords;
static FILE *keyLog, *recordLengths;

static void need(int isTrue, const char *what) {
  if (isTrue) return;
  fprintf(stderr, "error: %s failed\n", what);
  exit(1);
}

static void fillRandom(uint8_t *at, size_t count) {
  for (size_t i = 0; i < count; i++) at[i] = (uint8_t)nextRandom();
}

// HKDF-Expand-Label with an empty context, for no more than one block of the hash.
static void expandLabel(const uint8_t *secret, const char *label, uint8_t *out, size_t count) {
  uint8_t info[32], block[32];
  unsigned length = 0;
  size_t text = strlen(label) + 6;
  info[0] = 0, info[1] = (uint8_t)count, info[2] = (uint8_t)text;
  memcpy(info + 3, "tls13 ", 6);
  memcpy(info + 9, label, text - 6);
  info[3 + text] = 0, info[4 + text] = 1;
  need(HMAC(EVP_sha256(), secret, 32, info, 5 + text, block, &length) != NULL, "HMAC");
  memcpy(out, block, count);
}

static void logKey(const char *label, const uint8_t *random, const uint8_t *secret) {
  fprintf(keyLog, "%s ", label);
  for (int i = 0; i < 32; i++) fprintf(keyLog, "%02x", random[i]);
  fputc(' ', keyLog);
  for (int i = 0; i < 32; i++) fprintf(keyLog, "%02x", secret[i]);
  fputc('\n', keyLog);
}

// Takes a new secret, which it logs for the connection with that client random.
static void beginSeal(struct Seal *s, const char *label, const uint8_t *random) {
  uint8_t secret[32], key[16];
  fillRandom(secret, sizeof secret);
  logKey(label, random, secret);
  expandLabel(secret, "key", key, sizeof key);
  expandLabel(secret, "iv", s->iv, sizeof s->iv);
  s->sequence = 0;
  if (!s->cipher) s->cipher = EVP_CIPHER_CTX_new();
  need(s->cipher && EVP_EncryptInit_ex(s->cipher, EVP_aes_128_gcm(), NULL, key, NULL), "AES-GCM");
}

// Writes a record in the clear and returns the place behind it.
static uint8_t *putClear(uint8_t *at, int type, const uint8_t *content, uint32_t count) {
  at[0] = (uint8_t)type, at[1] = 3, at[2] = 3;
  put16(at + 3, count);
  memcpy(at + 5, content, count);
  return at + 5 + count;
}

// The same, sealed: at most `largestRecord` bytes.
static uint8_t *putSealed(uint8_t *at, struct Seal *s, int type, const uint8_t *content,
                          uint32_t count) {
  uint8_t nonce[12], innerType = (uint8_t)type;
  int length = 0;
  memcpy(nonce, s->iv, 12);
  for (int i = 0; i < 8; i++) nonce[4 + i] ^= (uint8_t)(s->sequence >> (56 - 8 * i));
  s->sequence++;
  at[0] = dataRecord, at[1] = 3, at[2] = 3;
  put16(at + 3, count + 17);
  uint8_t *out = at + 5;
  need(EVP_EncryptInit_ex(s->cipher, NULL, NULL, NULL, nonce) &&
           EVP_EncryptUpdate(s->cipher, NULL, &length, at, 5) &&
           EVP_EncryptUpdate(s->cipher, out, &length, content, (int)count) &&
           EVP_EncryptUpdate(s->cipher, out + count, &length, &innerType, 1) &&
           EVP_EncryptFinal_ex(s->cipher, out + count + 1, &length) &&
           EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + count + 1),
       "AES-GCM");
  sealedRecords++;
  uint16_t inner = (uint16_t)(count + 1);
  fwrite(&inner, sizeof inner, 1, recordLengths);
  return out + count + 17;
}

// Writes the handshake, from ClientHello to the client's Finished; leaves the seals that data has.
// Certificate and signatures are random bytes of the usual lengths.
static void writeHandshake(struct Peers *p, struct Seal *client, struct Seal *server,
                           const char *name, const char *protocol) {
  uint8_t flight[4096], hello[512], random[32], *at, *body;
  uint32_t nameLength = (uint32_t)strlen(name), protocolLength = (uint32_t)strlen(protocol);
  fillRandom(random, sizeof random);

  fillRandom(hello, sizeof hello);  // session id and key share stay so
  hello[0] = 1, hello[4] = 3, hello[5] = 3;
  memcpy(hello + 6, random, 32);
  hello[38] = 32;
  memcpy(hello + 71, "\0\2\x13\x01\1\0", 6);
  at = body = hello + 79;
  put16(at, 0), put16(at + 2, nameLength + 5), put16(at + 4, nameLength + 3), at[6] = 0;
  put16(at + 7, nameLength), memcpy(at + 9, name, nameLength), at += 9 + nameLength;
  put16(at, 43), memcpy(at + 2, "\0\3\2\3\4", 5), at += 7;
  put16(at, 16), put16(at + 2, protocolLength + 3), put16(at + 4, protocolLength + 1);
  at[6] = (uint8_t)protocolLength, memcpy(at + 7, protocol, protocolLength);
  at += 7 + protocolLength;
  put16(at, 51), memcpy(at + 2, "\0\x26\0\x24\0\x1d\0\x20", 8), at += 10 + 32;
  put16(body - 2, (uint32_t)(at - body));
  put32(hello, 1u << 24 | (uint32_t)(at - hello - 4));
  body = putClear(flight, handshakeRecord, hello, (uint32_t)(at - hello));
  writeMessage(p, 1, flight, (uint32_t)(body - flight));

  fillRandom(hello, sizeof hello);
  put32(hello, 2u << 24 | 118), hello[4] = 3, hello[5] = 3, hello[38] = 32;
  memcpy(hello + 71, "\x13\x01\0\0\x2e\0\x2b\0\2\3\4\0\x33\0\x24\0\x1d\0\x20", 19);
  at = putClear(flight, handshakeRecord, hello, 122);
  at = putClear(at, changeCipherSpec, (const uint8_t *)"\1", 1);
  beginSeal(client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", random);
  beginSeal(server, "SERVER_HANDSHAKE_TRAFFIC_SECRET", random);
  uint8_t messages[2600];
  fillRandom(messages, sizeof messages);
  body = messages;  // EncryptedExtensions, Certificate, CertificateVerify, Finished
  put32(body, 8u << 24 | (protocolLength + 9)), put16(body + 4, protocolLength + 7);
  put16(body + 6, 16), put16(body + 8, protocolLength + 3), put16(body + 10, protocolLength + 1);
  body[12] = (uint8_t)protocolLength, memcpy(body + 13, protocol, protocolLength);
  body += 13 + protocolLength;
  put32(body, 11u << 24 | 2100), body += 4 + 2100;
  put32(body, 15u << 24 | 264), body += 4 + 264;
  put32(body, 20u << 24 | 32), body += 4 + 32;
  at = putSealed(at, server, handshakeRecord, messages, (uint32_t)(body - messages));
  writeMessage(p, 0, flight, (uint32_t)(at - flight));

  at = putClear(flight, changeCipherSpec, (const uint8_t *)"\1", 1);
  fillRandom(messages, 36);
  put32(messages, 20u << 24 | 32);
  at = putSealed(at, client, handshakeRecord, messages, 36);
  writeMessage(p, 1, flight, (uint32_t)(at - flight));
  beginSeal(client, "CLIENT_TRAFFIC_SECRET_0", random);
  beginSeal(server, "SERVER_TRAFFIC_SECRET_0", random);
}

#endif
