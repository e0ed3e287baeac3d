// The yardstick of decryption: libcrypto runs AES-128-GCM over records of the same number and
// lengths, one at a time, and does nothing else. It seals them, which takes the steps of opening in
// another order. One key serves for all and the bytes stay in the cache: the least that any reader
// of the capture has to do.
//
// usage: aes-gcm-loop LENGTHS PASSES
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
  static uint8_t plain[65536], sealed[65536], tag[16];
  uint8_t key[16] = {1}, nonce[12] = {2}, header[5] = {23, 3, 3};
  FILE *lengths = count > 2 ? fopen(arguments[1], "rb") : NULL;
  if (!lengths) {
    fprintf(stderr, "usage: aes-gcm-loop LENGTHS PASSES\n");
    return 64;
  }
  int part = 0;
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  int works = cipher && EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, NULL);
  uint16_t length;
  uint64_t records = 0, bytes = 0;
  for (int passes = atoi(arguments[2]); works && passes > 0; passes--) {
    rewind(lengths);
    while (works && fread(&length, sizeof length, 1, lengths) == 1) {
      for (int i = 0; i < 8; i++) nonce[4 + i] = (uint8_t)(records >> 8 * i);
      works = EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, nonce) &&
              EVP_EncryptUpdate(cipher, NULL, &part, header, sizeof header) &&
              EVP_EncryptUpdate(cipher, sealed, &part, plain, length) &&
              EVP_EncryptFinal_ex(cipher, sealed + length, &part) &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag);
      records++, bytes += length;
    }
  }
  printf("%llu records, %llu bytes\n", (unsigned long long)records, (unsigned long long)bytes);
  return !works || !records || ferror(lengths);
}
