/* The HTTP server: lanes that each own an event loop, its listeners and connections, and the pool
 * of API threads. The only door to libevent, with the edge. */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include "gateway/api.h"

struct server;

/* First of all, before any thread: signals are waited for, never caught; SIGPIPE is ignored; as
 * many descriptors as the connections need, if allowed. */
void server_prepare_process(int64_t max_connections);

/* Listens; requests are taken from now on. services, its committer too, must outlive the server.
 * ERR_CONFIG: the address cannot be listened on. */
int server_open(struct server **out, struct services *services, struct err *err);
/* The address that is listened on, with the port that the system chose for port 0. */
const char *server_address(const struct server *server);
/* Returns after SIGTERM or SIGINT, when open requests are answered or drain_s has passed. The pool
 * has ended then; the committer may still give requests back. */
void server_run(struct server *server);
/* After the committer has ended. */
void server_free(struct server *server);

#endif
