/*
 * TLS 1.3 with the cheapest of its suites and as few system calls as there can be: OpenSSL reads ahead, and what it writes is
 * gathered until it has encrypted all.
 */
#include "wire.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AHEAD = 262144, RECORD = 16384, GATHERED = 524288 };

static SSL_CTX *context;
static BIO_METHOD *below;

/* What goes to one socket; it is empty whenever another's turn comes. */
static unsigned char gathered[GATHERED];
static size_t used;

void fail(const char *what) {
  perror(what);
  exit(1);
}

static void send_all(int fd, const unsigned char *bytes, size_t length) {
  for (ssize_t sent; length > 0; bytes += sent, length -= sent)
    if ((sent = write(fd, bytes, length)) <= 0) fail("write");
}

static int fd_of(BIO *bio) {
  return (intptr_t)BIO_get_data(bio);
}

static int gather(BIO *bio, const char *bytes, int length) {
  if (used + length > sizeof gathered) fail("too much at once");
  (void)bio;
  memcpy(gathered + used, bytes, length);
  used += length;
  return length;
}

static int receive_now(BIO *bio, char *bytes, int size) {
  ssize_t length = recv(fd_of(bio), bytes, size, MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (length < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  return length;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)number, (void)pointer;
  if (command != BIO_CTRL_FLUSH) return 0;
  send_all(fd_of(bio), gathered, used);
  used = 0;
  return 1;
}

void wire_credentials(const char *certificate, const char *key) {
  context = SSL_CTX_new(TLS_server_method());
  below = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gathering");
  if (context == NULL || below == NULL || !BIO_meth_set_write(below, gather) || !BIO_meth_set_read(below, receive_now) ||
      !BIO_meth_set_ctrl(below, control) || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
      !SSL_CTX_set_num_tickets(context, 0) || !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
      SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    fail("TLS");
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, AHEAD);
}

struct wire wire_open(int fd, int over_tls) {
  struct wire wire = {fd, NULL, 0};
  if (!over_tls) return wire;
  BIO *bio = BIO_new(below);
  wire.tls = SSL_new(context);
  if (bio == NULL || wire.tls == NULL) fail("TLS");
  BIO_set_data(bio, (void *)(intptr_t)fd);
  BIO_set_init(bio, 1);
  SSL_set_bio(wire.tls, bio, bio);
  SSL_set_accept_state(wire.tls);
  return wire;
}

static long read_records(struct wire *wire, unsigned char *bytes, size_t size) {
  size_t total = 0;
  for (wire->has_more = 1; wire->has_more && size - total >= RECORD;) {
    int length = SSL_read(wire->tls, bytes + total, size - total);
    if (length > 0) total += length;
    else if (SSL_get_error(wire->tls, length) != SSL_ERROR_WANT_READ) return -1;
    wire->has_more = length > 0 && SSL_has_pending(wire->tls);
  }
  return total;
}

long wire_read(struct wire *wire, unsigned char *bytes, size_t size) {
  if (wire->tls != NULL) return read_records(wire, bytes, size);
  ssize_t length = read(wire->fd, bytes, size);
  return length > 0 ? length : -1;
}

void wire_write(struct wire *wire, const unsigned char *bytes, size_t length) {
  if (wire->tls == NULL) return send_all(wire->fd, bytes, length);
  if (SSL_write(wire->tls, bytes, length) <= 0) fail("TLS write");
  BIO_flush(SSL_get_wbio(wire->tls));
}

void wire_close(struct wire *wire) {
  if (wire->tls != NULL) {
    SSL_free(wire->tls);
    ERR_clear_error();
  }
  close(wire->fd);
}
