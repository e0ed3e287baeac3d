// The yardstick of the capture path: libpcap reads every packet and does nothing with it.
#include <pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int count, char **arguments) {
  char error[PCAP_ERRBUF_SIZE];
  pcap_t *capture = count > 1 ? pcap_open_offline(arguments[1], error) : NULL;
  if (!capture) {
    fprintf(stderr, "usage: pcap-loop FILE\n");
    return 64;
  }
  struct pcap_pkthdr *header;
  const unsigned char *data;
  uint64_t packets = 0, bytes = 0;
  while (pcap_next_ex(capture, &header, &data) == 1) packets++, bytes += header->caplen;
  pcap_close(capture);
  printf("%llu packets, %llu bytes\n", (unsigned long long)packets, (unsigned long long)bytes);
  return 0;
}
