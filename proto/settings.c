/* The tables of settings: a row is an environment variable. */
#include "proto/settings.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const char *const backend_names[] = {NULL, "local", "minio", "s3", "r2", "none", NULL};
static const char *const log_names[] = {NULL, "debug", "info", "warn", "error", NULL};

/* --- checks --- */

static enum error fail(const char **why, const char *reason)
{
    *why = reason;
    return ERR_CONFIG;
}

static bool starts(const char *value, const char *with)
{
    return strncmp(value, with, strlen(with)) == 0;
}

/* A whole number without sign, at most five digits. */
static bool in_range(const char *text, size_t len, long min, long max)
{
    if (len == 0 || len > 5 || strspn(text, DIGITS) < len)
        return false;
    long value = strtol(text, NULL, 10);
    return value >= min && value <= max;
}

static enum error store_url_check(const char *value, const char **why)
{
    if (starts(value, "mongodb://") || starts(value, "mongodb+srv://"))
        return ERR_NONE;
    return fail(why, "must begin with mongodb:// or mongodb+srv://");
}

static enum error amqp_url_check(const char *value, const char **why)
{
    if (starts(value, "amqp://") || starts(value, "amqps://"))
        return ERR_NONE;
    return fail(why, "must begin with amqp:// or amqps://");
}

static enum error http_url_check(const char *value, const char **why)
{
    const char *host = strstr(value, "://");
    bool http = starts(value, "http://") || starts(value, "https://");
    if (!http || host[3] == '\0' || strpbrk(value, " \t\"<>\\?#"))
        return fail(why, "must be an http:// or https:// URL without query");
    return ERR_NONE;
}

/* A path is of this gateway, which has but one for media. */
static enum error media_url_check(const char *value, const char **why)
{
    if (strcmp(value, "/media/") == 0 || strcmp(value, "/media") == 0 ||
        http_url_check(value, why) == ERR_NONE)
        return ERR_NONE;
    return fail(why, "must be /media/, or an http:// or https:// URL without query");
}
static enum error path_check(const char *value, const char **why)
{
    return value[0] == '/' ? ERR_NONE : fail(why, "must be an absolute path");
}

/* host:port, [v6]:port; port 0 lets the system choose. */
static enum error listen_check(const char *value, const char **why)
{
    const char *colon = strrchr(value, ':');
    bool bracketed = colon && value[0] == '[' && colon > value + 2 && colon[-1] == ']' &&
                     strspn(value + 1, HEX_DIGITS ":.") == (size_t)(colon - value) - 2;
    bool plain =
        colon && colon > value && strspn(value, LETTERS DIGITS ".-") == (size_t)(colon - value);
    if ((!bracketed && !plain) || !in_range(colon + 1, strlen(colon + 1), 0, 65535))
        return fail(why, "must be address:port, like 127.0.0.1:8080 or [::1]:8080");
    return ERR_NONE;
}

/* Length of a name that is followed by `end`, 0 if there is none of 1 … 128 good characters. */
static size_t name_len(const char *text, char end)
{
    size_t len = strspn(text, LETTERS DIGITS "._-");
    return len <= 128 && text[len] == end ? len : 0;
}

static enum error api_key_check(const char *value, const char **why)
{
    static const char *const roles[] = {"viewer:", "operator:", "admin:"};
    size_t name = name_len(value, ':');
    size_t tenant = name ? name_len(value + name + 1, ':') : 0;
    if (!tenant)
        return fail(why, "rows are name:tenant:role:sha256");
    const char *role = value + name + tenant + 2;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (!starts(role, roles[i]))
            continue;
        const char *digest = role + strlen(roles[i]);
        if (strlen(digest) == 64 && strspn(digest, HEX_DIGITS) == 64)
            return ERR_NONE;
        return fail(why, "the last part of a row is the key's SHA-256, 64 hex digits");
    }
    return fail(why, "the role of a row is viewer, operator or admin");
}

/* The form only; what the address means is the egress guard's business. */
static enum error cidr_check(const char *value, const char **why)
{
    size_t address = strspn(value, HEX_DIGITS ".:");
    const char *bits = value + address + 1;
    if (address < 2 || value[address] != '/' || !in_range(bits, strlen(bits), 0, 128))
        return fail(why, "must be address/bits, like 127.0.0.0/8");
    return ERR_NONE;
}

static enum error port_check(const char *value, const char **why)
{
    if (in_range(value, strlen(value), 1, 65535))
        return ERR_NONE;
    return fail(why, "must be ports, 1 to 65535");
}

static enum error origin_check(const char *value, const char **why)
{
    const char *host = strstr(value, "://");
    if (strcmp(value, "*") == 0)
        return ERR_NONE;
    if (http_url_check(value, why) != ERR_NONE || strchr(host + 3, '/'))
        return fail(why, "must be origins, like https://app.example.com, or *");
    return ERR_NONE;
}

/* --- tables --- */

static const struct field store_fields[] = {
    FIELD_AS(store_settings, url, "MONGODB_URL", .flags = FIELD_SECRET, .check = store_url_check,
             .fallback = "mongodb://127.0.0.1:27017/mediafleet",
             .text = "Where MongoDB is, and which database; without one: mediafleet."),
    FIELD_AS(store_settings, server_timeout_ms, "MEDIAFLEET_STORE_SERVER_TIMEOUT_MS", .min = 100,
             .max = 60000, .fallback = "2000",
             .text = "How long to look for a server that answers, in ms."),
    FIELD_AS(store_settings, socket_timeout_ms, "MEDIAFLEET_STORE_SOCKET_TIMEOUT_MS", .min = 100,
             .max = 300000, .fallback = "5000",
             .text = "How long to wait for an answer of the store, in ms; requests wait 1500 at most."),
    FIELD_AS(store_settings, pool_size, "MEDIAFLEET_STORE_POOL_SIZE", .min = 1, .max = 1000,
             .fallback = "32", .text = "Connections to the store of one process, at most."),
};
const struct doc store_settings_doc = DOC(store_settings, store_fields);

static const struct field fleet_fields[] = {
    FIELD_AS(fleet_settings, amqp_url, "AMQP_URL", .flags = FIELD_SECRET, .check = amqp_url_check,
             .fallback = "amqp://guest:guest@127.0.0.1:5672/", .text = "Where RabbitMQ is."),
    FIELD_AS(fleet_settings, workspace, "MEDIAFLEET_WORKSPACE", .check = path_check,
             .fallback = "/var/lib/mediafleet/workspace",
             .text = "Directory that all workers share, where tasks hand files to each other."),
    FIELD_AS(fleet_settings, lease_s, "MEDIAFLEET_LEASE_S", .min = 5, .max = 3600, .fallback = "30",
             .text = "How long a claimed task stays a worker's without its renewal, in s."),
    FIELD_AS(fleet_settings, min_free_bytes, "MEDIAFLEET_MIN_FREE_BYTES", .max = INT64_C(1) << 44,
             .fallback = "268435456",
             .text = "With less room in the workspace no download begins; with a quarter of it, no "
                     "transcode and no thumbnail; 256 MiB unless set."),
    FIELD_AS(fleet_settings, quota_project_bytes, "MEDIAFLEET_QUOTA_PROJECT_BYTES",
             .max = INT64_C(1) << 53, .fallback = "0",
             .text = "How much a project without a quota of its own may store, in bytes; 0 is no limit."),
    FIELD_AS(fleet_settings, quota_user_bytes, "MEDIAFLEET_QUOTA_USER_BYTES",
             .max = INT64_C(1) << 53, .fallback = "0",
             .text = "How much a user may store, in bytes; 0 is no limit."),
    FIELD_AS(fleet_settings, log_level, "MEDIAFLEET_LOG_LEVEL", .names = log_names,
             .fallback = "info", .text = "Events below that level are not logged."),
};
const struct doc fleet_settings_doc = DOC(fleet_settings, fleet_fields);

static const struct field bucket_fields[] = {
    FIELD_AS(bucket_settings, backend, "MEDIA_STORAGE_BACKEND", .names = backend_names,
             .fallback = "local",
             .text =
                 "Where media is kept; R2_ENABLED comes first; none: in MEDIA_ROOT only."),
    FIELD_AS(bucket_settings, media_root, "MEDIA_ROOT", .check = path_check,
             .fallback = "/var/lib/mediafleet/media",
             .text = "Directory of the media, for local and none."),
    FIELD_AS(bucket_settings, r2_enabled, "R2_ENABLED", .fallback = "false",
             .text = "Whether media is kept in Cloudflare R2."),
    FIELD_AS(bucket_settings, r2_bucket_name, "R2_BUCKET_NAME", .text = "The bucket in R2."),
    FIELD_AS(bucket_settings, r2_access_key_id, "R2_ACCESS_KEY_ID", .flags = FIELD_SECRET,
             .text = "The access key of R2."),
    FIELD_AS(bucket_settings, r2_secret_access_key, "R2_SECRET_ACCESS_KEY", .flags = FIELD_SECRET,
             .text = "The secret key of R2."),
    FIELD_AS(bucket_settings, r2_endpoint_url, "R2_ENDPOINT_URL", .check = http_url_check,
             .text = "The endpoint of R2: https://ACCOUNT.r2.cloudflarestorage.com."),
    FIELD_AS(bucket_settings, r2_region_name, "R2_REGION_NAME", .fallback = "auto",
             .text = "The region that requests to R2 are signed for."),
    FIELD_AS(bucket_settings, minio_endpoint, "MINIO_ENDPOINT",
             .text = "Where MinIO is: host:port or URL."),
    FIELD_AS(bucket_settings, minio_access_key, "MINIO_ACCESS_KEY", .flags = FIELD_SECRET,
             .text = "The access key of MinIO."),
    FIELD_AS(bucket_settings, minio_secret_key, "MINIO_SECRET_KEY", .flags = FIELD_SECRET,
             .text = "The secret key of MinIO."),
    FIELD_AS(bucket_settings, minio_bucket_name, "MINIO_BUCKET_NAME", .fallback = "media",
             .text = "The bucket in MinIO."),
    FIELD_AS(bucket_settings, aws_bucket_name, "AWS_STORAGE_BUCKET_NAME",
             .text = "The bucket in S3."),
    FIELD_AS(bucket_settings, aws_region, "AWS_DEFAULT_REGION", .fallback = "us-east-1",
             .text = "The region of the bucket in S3."),
    FIELD_AS(bucket_settings, aws_access_key_id, "AWS_ACCESS_KEY_ID", .flags = FIELD_SECRET,
             .text = "The access key of S3."),
    FIELD_AS(bucket_settings, aws_secret_access_key, "AWS_SECRET_ACCESS_KEY", .flags = FIELD_SECRET,
             .text = "The secret key of S3."),
    FIELD_AS(bucket_settings, aws_endpoint_url, "AWS_ENDPOINT_URL", .check = http_url_check,
             .text = "Another endpoint that speaks S3; without it Amazon's of the region."),
    FIELD_AS(bucket_settings, create_bucket, "MEDIAFLEET_BUCKET_CREATE", .fallback = "false",
             .text = "Whether a bucket that does not exist is created."),
    FIELD_AS(bucket_settings, parallel, "MEDIAFLEET_BUCKET_PARALLEL", .min = 1, .max = 64,
             .fallback = "8", .text = "Transfers to the bucket at once, of one task."),
};
const struct doc bucket_settings_doc = DOC(bucket_settings, bucket_fields);

static const struct field worker_fields[] = {
    FIELD_AS(worker_settings, processes, "MEDIAFLEET_PROCESSES", .min = 1, .max = 256,
             .fallback = "1", .text = "Processes of a worker program."),
    FIELD_AS(worker_settings, slots, "MEDIAFLEET_SLOTS", .max = 1000, .fallback = "0",
             .text = "Tasks at once in each process; 0 is what fits the kind."),
    FIELD_AS(worker_settings, cores, "MEDIAFLEET_CORES", .max = 1024, .fallback = "0",
             .text = "Processor cores that the program's processes share; 0 is all it may run on."),
    FIELD_AS(worker_settings, drain_s, "MEDIAFLEET_DRAIN_S", .max = 3600, .fallback = "25",
             .text = "How long running tasks may go on after SIGTERM, in s."),
    FIELD_AS(worker_settings, tombstone_s, "MEDIAFLEET_TOMBSTONE_S", .max = 86400,
             .fallback = "900",
             .text = "How long a deleted object's row waits for its second delete, in s."),
};
const struct doc worker_settings_doc = DOC(worker_settings, worker_fields);

static const struct field egress_fields[] = {
    FIELD_AS(egress_settings, allowed_cidrs, "MEDIAFLEET_ALLOWED_CIDRS", .max = 64,
             .check = cidr_check,
             .text = "Private networks that sources may be fetched from, at any port from 1024 on."),
    FIELD_AS(egress_settings, allowed_ports, "MEDIAFLEET_ALLOWED_PORTS", .max = 64,
             .check = port_check, .text = "Ports of sources, beside 80 and 443."),
    FIELD_AS(egress_settings, max_source_bytes, "MEDIAFLEET_MAX_SOURCE_BYTES", .min = 1,
             .max = INT64_C(1) << 44, .fallback = "21474836480",
             .text = "The largest source, in bytes; 20 GiB unless set."),
    FIELD_AS(egress_settings, max_upload_size, "MAX_UPLOAD_SIZE", .min = 1, .max = INT64_C(1) << 44,
             .text = "An older name of the same; where both are set, the smaller one counts."),
    FIELD_AS(egress_settings, max_redirects, "MEDIAFLEET_MAX_REDIRECTS", .max = 20, .fallback = "5",
             .text = "Redirects followed from one source."),
    FIELD_AS(egress_settings, connect_timeout_s, "MEDIAFLEET_CONNECT_TIMEOUT_S", .min = 1,
             .max = 300, .fallback = "10", .text = "How long a connection may take, in s."),
    FIELD_AS(egress_settings, low_speed_bytes, "MEDIAFLEET_LOW_SPEED_BYTES", .min = 1,
             .max = 1 << 30, .fallback = "1024",
             .text = "Fewer bytes a second than that are too slow a source."),
    FIELD_AS(egress_settings, low_speed_s, "MEDIAFLEET_LOW_SPEED_S", .min = 1, .max = 3600,
             .fallback = "30", .text = "How long a source may be too slow, in s."),
};
const struct doc egress_settings_doc = DOC(egress_settings, egress_fields);

static const struct field gateway_fields[] = {
    FIELD_AS(gateway_settings, listen, "MEDIAFLEET_LISTEN", .check = listen_check,
             .fallback = "127.0.0.1:8080", .text = "Address and port that the gateway listens on."),
    FIELD_AS(gateway_settings, lanes, "MEDIAFLEET_LANES", .max = 64, .fallback = "0",
             .text = "Threads that speak HTTP; 0 is one for each processor."),
    FIELD_AS(gateway_settings, api_threads, "MEDIAFLEET_API_THREADS", .min = 1, .max = 256,
             .fallback = "8", .text = "Threads that read the store for requests."),
    FIELD_AS(gateway_settings, max_connections, "MEDIAFLEET_MAX_CONNECTIONS", .min = 1,
             .max = 1000000, .fallback = "10000", .text = "Connections at once."),
    FIELD_AS(gateway_settings, max_connections_per_address,
             "MEDIAFLEET_MAX_CONNECTIONS_PER_ADDRESS", .min = 1, .max = 1000000, .fallback = "1000",
             .text = "Connections at once from one address."),
    FIELD_AS(gateway_settings, header_timeout_s, "MEDIAFLEET_HEADER_TIMEOUT_S", .min = 1,
             .max = 300, .fallback = "10",
             .text = "How long the head of a request may take to arrive, in s."),
    FIELD_AS(gateway_settings, drain_s, "MEDIAFLEET_DRAIN_S", .max = 3600, .fallback = "25",
             .text = "How long open requests may go on after SIGTERM, in s."),
    FIELD_AS(gateway_settings, queue_limit, "MEDIAFLEET_QUEUE_LIMIT", .min = 1, .max = 1000000,
             .fallback = "4096", .text = "Requests that may wait; more are answered 503."),
    FIELD_AS(gateway_settings, rate_per_s, "MEDIAFLEET_RATE_PER_S", .max = 1000000, .fallback = "0",
             .text = "Requests a second of one API key; 0 is no limit."),
    FIELD_AS(gateway_settings, public_url, "MEDIAFLEET_PUBLIC_URL", .check = http_url_check,
             .text = "What absolute URLs in answers begin with; without it the listen address."),
    FIELD_AS(gateway_settings, api_keys, "MEDIAFLEET_API_KEYS", .flags = FIELD_SECRET, .max = 1000,
             .check = api_key_check,
             .text = "API keys, as rows name:tenant:role:sha256 (roles viewer, operator, admin)."),
    FIELD_AS(gateway_settings, jwt_secret, "MEDIAFLEET_JWT_SECRET", .flags = FIELD_SECRET,
             .min = 32, .max = 1024, .text = "Key of JSON web tokens (HS256)."),
    FIELD_AS(gateway_settings, url_secret, "MEDIAFLEET_URL_SECRET", .flags = FIELD_SECRET,
             .min = 32, .max = 1024, .text = "Key that media URLs are signed with."),
    FIELD_AS(gateway_settings, url_ttl_s, "MEDIAFLEET_URL_TTL_S", .min = 60, .max = 604800,
             .fallback = "3600",
             .text = "How long a signed media URL works, in s; longer than the films that play."),
    FIELD_AS(gateway_settings, cors_origins, "MEDIAFLEET_CORS_ORIGINS", .max = 64,
             .check = origin_check, .text = "Origins of web pages that may use the API."),
    FIELD_AS(gateway_settings, media_public_url, "MEDIA_PUBLIC_URL", .check = http_url_check,
             .text = "A CDN or domain in front of the bucket, which media URLs then begin with."),
    FIELD_AS(gateway_settings, media_url, "MEDIA_URL", .check = media_url_check,
             .text = "An older name of the same; /media/ is what gateways serve anyway."),
    /* Cloudflare R2's, of its pricing page (developers.cloudflare.com/r2/pricing). */
    FIELD_AS(gateway_settings, storage_price_usd, "MEDIAFLEET_STORAGE_PRICE_USD", .max = 1000,
             .fallback = "0.015",
             .text = "What a GB in the bucket costs a month, in USD; R2's price unless set."),
    FIELD_AS(gateway_settings, storage_free_gb, "MEDIAFLEET_STORAGE_FREE_GB", .max = 1000000000,
             .fallback = "10", .text = "How many GB of the bucket cost nothing."),
};
const struct doc gateway_settings_doc = DOC(gateway_settings, gateway_fields);

enum backend bucket_settings_backend(const struct bucket_settings *settings)
{
    if (settings->r2_enabled)
        return BACKEND_R2;
    return settings->backend == BACKEND_UNSET ? BACKEND_LOCAL : settings->backend;
}

int64_t egress_settings_max_bytes(const struct egress_settings *settings)
{
    int64_t older = settings->max_upload_size, bytes = settings->max_source_bytes;
    return older > 0 && older < bytes ? older : bytes;
}

const char *gateway_settings_media_url(const struct gateway_settings *settings, size_t *len)
{
    const char *url = settings->media_public_url ? settings->media_public_url : settings->media_url;
    *len = 0;
    if (!url || url[0] == '/')
        return NULL;
    *len = strlen(url);
    while (*len > 0 && url[*len - 1] == '/')
        (*len)--;
    return url;
}
