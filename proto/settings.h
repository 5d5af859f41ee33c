/* Settings: every environment variable, as documents (read by common/doc_env, printed by --help). */
#ifndef PROTO_SETTINGS_H
#define PROTO_SETTINGS_H

#include "proto/doc.h"

enum log_setting { LOGS_NONE, LOGS_DEBUG, LOGS_INFO, LOGS_WARN, LOGS_ERROR };
enum backend { BACKEND_UNSET, BACKEND_LOCAL, BACKEND_MINIO, BACKEND_S3, BACKEND_R2, BACKEND_NONE };
extern const char *const backend_names[];

struct store_settings {
    const char *url; /* MONGODB_URL */
    int64_t server_timeout_ms, socket_timeout_ms, pool_size;
};
/* Common to gateway and workers. */
struct fleet_settings {
    const char *amqp_url, *workspace;
    int64_t lease_s, min_free_bytes;
    int64_t quota_project_bytes, quota_user_bytes; /* of those without one of their own; 0: none */
    enum log_setting log_level;
};
struct bucket_settings {
    bool r2_enabled;
    const char *r2_bucket_name, *r2_access_key_id, *r2_secret_access_key, *r2_endpoint_url, *r2_region_name;
    enum backend backend; /* bucket_settings_backend says which one counts */
    const char *media_root;
    const char *minio_endpoint, *minio_access_key, *minio_secret_key, *minio_bucket_name;
    const char *aws_bucket_name, *aws_region, *aws_access_key_id, *aws_secret_access_key, *aws_endpoint_url;
    bool create_bucket;
    int64_t parallel; /* transfers at once */
};
/* R2_ENABLED=true wins, then MEDIA_STORAGE_BACKEND, else local. */
enum backend bucket_settings_backend(const struct bucket_settings *settings);

struct worker_settings {
    int64_t processes, slots, cores, drain_s, tombstone_s;
};
/* What fetches users' URLs is allowed to reach (download, webhooks). */
struct egress_settings {
    struct strs allowed_cidrs;
    struct strs allowed_ports;
    int64_t max_source_bytes, max_upload_size; /* egress_settings_max_bytes says which one counts */
    int64_t max_redirects, connect_timeout_s, low_speed_bytes, low_speed_s;
};
struct gateway_settings {
    const char *listen; /* "127.0.0.1:8080" */
    int64_t lanes, api_threads, max_connections, max_connections_per_address, header_timeout_s, drain_s;
    int64_t queue_limit;     /* requests waiting for the committer or the API threads */
    int64_t rate_per_s;      /* per key; 0: none */
    const char *public_url;  /* what absolute URLs begin with */
    struct strs api_keys;    /* name:tenant:role:sha256 */
    const char *jwt_secret, *url_secret;
    int64_t url_ttl_s;
    struct strs cors_origins;
    const char *media_public_url, *media_url; /* gateway_settings_media_url says which one counts */
    double storage_price_usd;     /* of a GB for a month */
    int64_t storage_free_gb;
};
/* The smaller one of those that are set. */
int64_t egress_settings_max_bytes(const struct egress_settings *settings);
/* A CDN or custom domain in front of the bucket, without a slash at its end (*len bytes); NULL: there is none. */
const char *gateway_settings_media_url(const struct gateway_settings *settings, size_t *len);
extern const struct doc store_settings_doc, fleet_settings_doc, bucket_settings_doc, worker_settings_doc,
    egress_settings_doc, gateway_settings_doc;

#endif
