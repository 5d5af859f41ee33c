/* Connecting to RabbitMQ, and the few calls that both sides share. */
#include "common/broker_link.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/clock.h"

enum { CHANNEL_MAX = 8 };

static char *copy(const char *text)
{
    char *out = strdup(text);
    if (!out)
        abort();
    return out;
}

/* The URL's query, of which we know one parameter; the name is RabbitMQ's own. */
static int read_query(struct broker_link *link, const char *query, struct err *err)
{
    static const char name[] = "cacertfile=";
    if (strncmp(query, name, sizeof name - 1) != 0 || strchr(query, '&'))
        return err_set(err, ERR_CONFIG, "AMQP_URL: of parameters only cacertfile is known");
    link->ca_file = query + sizeof name - 1;
    return 0;
}

static int read_url(struct broker_link *link, struct err *err)
{
    char *query = strchr(link->url, '?');
    if (query)
        *query++ = '\0';
    if (amqp_parse_url(link->url, &link->address) != AMQP_STATUS_OK)
        return err_set(err, ERR_CONFIG, "AMQP_URL is not amqp://user:password@host:port/vhost");
    /* "amqp://host/" names the vhost "" to the letter, which nobody means. */
    link->vhost = *link->address.vhost ? link->address.vhost : "/";
    return query ? read_query(link, query, err) : 0;
}

int broker_link_init(struct broker_link *link, const char *url, const char *app, struct err *err)
{
    *link = (struct broker_link){.url = copy(url),
                                 .app = copy(app),
                                 .ca_file = "/etc/ssl/certs/ca-certificates.crt",
                                 .fd = -1,
                                 .backoff = {.first_ms = 200, .max_ms = 5000}};
    if (read_url(link, err)) {
        broker_link_release(link);
        return -1;
    }
    return 0;
}

void broker_link_release(struct broker_link *link)
{
    broker_link_close(link, false);
    free(link->url);
    free(link->app);
    *link = (struct broker_link){.fd = -1};
}

int broker_link_failed(int status, const char *what, struct err *err)
{
    return err_set(err, ERR_BROKER_UNAVAILABLE, "%s: %s", what, amqp_error_string2(status));
}

int broker_link_refused(int code, amqp_bytes_t text, const char *what, struct err *err)
{
    enum error error = code == AMQP_PRECONDITION_FAILED ? ERR_CONFIG : ERR_BROKER_UNAVAILABLE;
    return err_set(err, error, "%s: %d %.*s", what, code, (int)text.len, (const char *)text.bytes);
}

static amqp_socket_t *new_socket(struct broker_link *link, struct err *err)
{
    if (!link->address.ssl)
        return amqp_tcp_socket_new(link->state);
    amqp_socket_t *socket = amqp_ssl_socket_new(link->state);
    if (!socket)
        return NULL;
    if (amqp_ssl_socket_set_cacert(socket, link->ca_file) != AMQP_STATUS_OK ||
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK) {
        err_set(err, ERR_CONFIG, "certificates in '%s' cannot be read", link->ca_file);
        return NULL;
    }
    return socket;
}

static int open_socket(struct broker_link *link, struct err *err)
{
    const struct timeval rpc = {.tv_sec = LINK_RPC_S};
    struct timeval connect = {.tv_sec = LINK_CONNECT_S};
    err_set(err, ERR_BROKER_UNAVAILABLE, "no socket");
    amqp_socket_t *socket = new_socket(link, err);
    if (!socket || amqp_set_rpc_timeout(link->state, &rpc) != AMQP_STATUS_OK ||
        amqp_set_handshake_timeout(link->state, &rpc) != AMQP_STATUS_OK)
        return -1;
    int status = amqp_socket_open_noblock(socket, link->address.host, link->address.port, &connect);
    if (status != AMQP_STATUS_OK)
        return broker_link_failed(status, "connect", err);
    link->fd = amqp_get_sockfd(link->state);
    const unsigned stall_ms = LINK_STALL_S * 1000;
    if (setsockopt(link->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof stall_ms))
        return err_set(err, ERR_BROKER_UNAVAILABLE, "connect: the connection is gone");
    return 0;
}

void broker_link_gather(struct broker_link *link, bool gather)
{
    const int cork = gather;
    /* Of a connection that is gone the next send tells. */
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork);
}

static amqp_table_entry_t capability(const char *name)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(name),
        .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
    };
}

static int login(struct broker_link *link, struct err *err)
{
    amqp_table_entry_t capabilities[] = {
        capability("consumer_cancel_notify"),
        capability("connection.blocked"),
        capability("basic.nack"),
        capability("publisher_confirms"),
    };
    amqp_table_entry_t entries[] = {
        {.key = amqp_cstring_bytes("connection_name"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(link->app)}},
        {.key = amqp_cstring_bytes("capabilities"),
         .value = {.kind = AMQP_FIELD_KIND_TABLE,
                   .value.table = {.num_entries = sizeof capabilities / sizeof capabilities[0],
                                   .entries = capabilities}}},
    };
    const amqp_table_t properties = {.num_entries = sizeof entries / sizeof entries[0],
                                     .entries = entries};
    amqp_rpc_reply_t reply = amqp_login_with_properties(
        link->state, link->vhost, CHANNEL_MAX, LINK_FRAME_MAX, LINK_HEARTBEAT_S, &properties,
        AMQP_SASL_METHOD_PLAIN, link->address.user, link->address.password);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return 0;
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = reply.reply.decoded;
        return broker_link_refused(close->reply_code, close->reply_text, "login", err);
    }
    return broker_link_failed(reply.library_error, "login", err);
}

int broker_link_connect(struct broker_link *link, struct err *err)
{
    uint32_t random = 0;
    /* Only jitter: without entropy all pauses are a fifth shorter. */
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = 0;
    backoff_fail(&link->backoff, clock_mono_ms(), random);
    link->state = amqp_new_connection();
    if (!link->state)
        abort();
    if (open_socket(link, err) || login(link, err)) {
        broker_link_close(link, false);
        return err_prefix(err, "broker %s:%d", link->address.host, link->address.port);
    }
    return 0;
}

void broker_link_ready(struct broker_link *link)
{
    link->ready_ms = clock_mono_ms();
}

void broker_link_close(struct broker_link *link, bool politely)
{
    if (!link->state)
        return;
    const struct timeval goodbye = {.tv_sec = LINK_GOODBYE_S};
    if (politely && amqp_set_rpc_timeout(link->state, &goodbye) == AMQP_STATUS_OK)
        amqp_connection_close(link->state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(link->state);
    if (link->ready_ms && clock_mono_ms() - link->ready_ms >= LINK_LASTED_MS)
        backoff_reset(&link->backoff);
    link->ready_ms = 0;
    link->state = NULL;
    link->fd = -1;
}
