/* One connection, over TCP or over TLS: all that came is read at once, all that goes is written at once. */
#include <stddef.h>

struct ssl_st;

struct wire {
  int fd;
  struct ssl_st *tls; /* NULL over TCP */
  int has_more;       /* it was read, but there was no room for it */
};

/* Reads the certificate and the key of the server, and ends the program where it can't. */
void wire_credentials(const char *certificate, const char *key);

/* Takes a connection that a server has accepted. */
struct wire wire_open(int fd, int over_tls);

/* The bytes that came, SIZE at most; 0 where there are none, -1 where there will be none any more. */
long wire_read(struct wire *wire, unsigned char *bytes, size_t size);

void wire_write(struct wire *wire, const unsigned char *bytes, size_t length);
void wire_close(struct wire *wire);

void fail(const char *what);
