/* One line per event, JSON, to stderr, secrets masked. Called from gateway/server, worker/runtime and mains only. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* program: "gateway", "download", …; level: below it nothing is written. Once, before threads start. */
void log_open(const char *program, enum log_level level);
/* log_event(LOG_INFO, "request", "method", "GET", "path", path, "status", "202", NULL): pairs of strings, ended by
 * NULL; a NULL value leaves the pair out. Values are escaped, cut at 1,000 bytes, and masked (log_mask). Any thread. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* Masks in place what must not be written: the password in scheme://user:password@, X-Amz-Signature, -Credential and
 * -Security-Token values, Bearer tokens, and the signature of a /media/ URL. */
void log_mask(char *text);

#endif
