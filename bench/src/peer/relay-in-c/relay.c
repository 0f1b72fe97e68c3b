/*
 * What no program goes below that moves messages through sockets: PLAIN_PORT SECURE_PORT CERTFILE KEYFILE.
 *
 * One system call waits, one reads all there is, one writes it on, and of QoS 1 one more writes all answers. It knows MQTT just so
 * far that the load takes it for a broker. It checks nothing, and takes every PUBLISH of a connection to have the size, the
 * QoS and the topic of the first, and every read of QoS 1 to be of whole packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "wire.h"

enum { CONNECT = 1, PUBLISH = 3, SUBSCRIBE = 8, DISCONNECT = 14 };
enum { MOST = 4096, TOPIC = 128, BUFFER = 262144, UNKNOWN = -1 };

/* By file descriptor. */
static struct {
  struct wire wire;
  char filter[TOPIC];
  int to;
  int qos;
  size_t packet;     /* bytes of each */
  size_t identifier; /* where in a packet it is */
} connections[MOST];

static unsigned char buffer[BUFFER], answers[BUFFER];

static void send_to(int fd, const unsigned char *bytes, size_t length) {
  wire_write(&connections[fd].wire, bytes, length);
}

static int subscriber_of(const unsigned char *topic, size_t length) {
  for (int fd = 0; fd < MOST; fd++)
    if (strlen(connections[fd].filter) == length && memcmp(connections[fd].filter, topic, length) == 0) return fd;
  return UNKNOWN;
}

static void subscribe(int fd) {
  size_t length = buffer[4] << 8 | buffer[5];
  if (length >= TOPIC) exit(1);
  memcpy(connections[fd].filter, buffer + 6, length);
  connections[fd].filter[length] = 0;
  send_to(fd, (unsigned char[]){0x90, 3, buffer[2], buffer[3], buffer[6 + length]}, 5);
}

/* From the first PUBLISH of a connection. */
static void learn(int fd) {
  size_t at = 1, remaining = 0;
  for (int shift = 0;; shift += 7) {
    remaining |= (size_t)(buffer[at] & 0x7f) << shift;
    if ((buffer[at++] & 0x80) == 0) break;
  }
  size_t topic = buffer[at] << 8 | buffer[at + 1];
  connections[fd].to = subscriber_of(buffer + at + 2, topic);
  connections[fd].qos = buffer[0] >> 1 & 3;
  connections[fd].packet = at + remaining;
  connections[fd].identifier = at + 2 + topic;
}

static void acknowledge(int fd, size_t length) {
  size_t packet = connections[fd].packet, identifier = connections[fd].identifier, used = 0;
  if (length % packet != 0) fail("a packet in parts");
  for (size_t at = 0; at < length; at += packet) {
    answers[used++] = 0x40;
    answers[used++] = 2;
    answers[used++] = buffer[at + identifier];
    answers[used++] = buffer[at + identifier + 1];
  }
  send_to(fd, answers, used);
}

static void publish(int fd, size_t length) {
  if (connections[fd].to == UNKNOWN) learn(fd);
  if (connections[fd].to != UNKNOWN) send_to(connections[fd].to, buffer, length);
  if (connections[fd].qos > 0) acknowledge(fd, length);
}

static void leave(int fd) {
  connections[fd].filter[0] = 0;
  wire_close(&connections[fd].wire);
}

static void take(int fd, size_t length) {
  if (connections[fd].to != UNKNOWN) {
    publish(fd, length);
    return;
  }
  switch (buffer[0] >> 4) {
    case CONNECT: send_to(fd, (unsigned char[]){0x20, 2, 0, 0}, 4); break;
    case SUBSCRIBE: subscribe(fd); break;
    case PUBLISH: publish(fd, length); break;
  }
}

static void receive(int fd) {
  do {
    long length = wire_read(&connections[fd].wire, buffer, sizeof buffer);
    if (length < 0 || (length == 2 && buffer[0] >> 4 == DISCONNECT)) {
      leave(fd);
      return;
    }
    if (length > 0) take(fd, length);
  } while (connections[fd].wire.has_more);
}

static void watch(int poll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static void accept_one(int poll, int server, int over_tls) {
  int on = 1;
  int fd = accept(server, NULL, NULL);
  if (fd < 0 || fd >= MOST) fail("accept");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("setsockopt");
  connections[fd].to = UNKNOWN;
  connections[fd].wire = wire_open(fd, over_tls);
  watch(poll, fd);
}

static int listen_on(int poll, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 1024) != 0) fail("listen");
  watch(poll, server);
  return server;
}

int main(int count, char **arguments) {
  if (count != 5) exit(2);
  wire_credentials(arguments[3], arguments[4]);
  int poll = epoll_create1(0);
  int plain = listen_on(poll, arguments[1]), secure = listen_on(poll, arguments[2]);
  struct epoll_event events[1024];
  for (;;) {
    int ready = epoll_wait(poll, events, 1024, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      if (fd == plain || fd == secure) accept_one(poll, fd, fd == secure);
      else receive(fd);
    }
  }
}
