/*
 * What no program goes below that reads and writes each message by itself: PORT.
 *
 * Three system calls a message at most: one that waits, one read, one write. It knows MQTT just so far that the load
 * takes it for a broker of QoS 0. It checks nothing, takes every read to be one packet, and every PUBLISH of a connection to
 * have the topic of the first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CONNECT = 1, PUBLISH = 3, SUBSCRIBE = 8, DISCONNECT = 14 };
enum { MOST = 4096, TOPIC = 128, UNKNOWN = -1 };

/* By file descriptor. */
static struct {
  char filter[TOPIC];
  int to;
} connections[MOST];

static unsigned char buffer[262144];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void send_all(int to, const void *bytes, size_t length) {
  if (write(to, bytes, length) != (ssize_t)length) fail("write");
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
  send_all(fd, (unsigned char[]){0x90, 3, buffer[2], buffer[3], buffer[6 + length]}, 5);
}

static void publish(int fd, size_t length) {
  if (connections[fd].to == UNKNOWN) {
    size_t at = 1;
    while (buffer[at++] & 0x80) continue; /* the remaining length */
    connections[fd].to = subscriber_of(buffer + at + 2, buffer[at] << 8 | buffer[at + 1]);
  }
  if (connections[fd].to != UNKNOWN) send_all(connections[fd].to, buffer, length);
}

static void leave(int fd) {
  connections[fd].filter[0] = 0;
  close(fd);
}

static void receive(int fd) {
  ssize_t length = read(fd, buffer, sizeof buffer);
  if (length <= 0) {
    leave(fd);
    return;
  }
  switch (buffer[0] >> 4) {
    case CONNECT: send_all(fd, "\x20\x02\0\0", 4); break;
    case SUBSCRIBE: subscribe(fd); break;
    case PUBLISH: publish(fd, length); break;
    case DISCONNECT: leave(fd); break;
  }
}

static void watch(int poll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static void accept_one(int poll, int server) {
  int on = 1;
  int fd = accept(server, NULL, NULL);
  if (fd < 0 || fd >= MOST) fail("accept");
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("setsockopt");
  connections[fd].to = UNKNOWN;
  watch(poll, fd);
}

int main(int count, char **arguments) {
  if (count != 2) exit(2);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 1024) != 0) fail("listen");
  int poll = epoll_create1(0);
  watch(poll, server);
  struct epoll_event events[1024];
  for (;;) {
    int ready = epoll_wait(poll, events, 1024, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int index = 0; index < ready; index++) {
      int fd = events[index].data.fd;
      if (fd == server) accept_one(poll, server);
      else receive(fd);
    }
  }
}
