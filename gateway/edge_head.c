/* RFC 9112 without its leniencies: whatever two parsers could understand differently is refused. */
#include "gateway/edge_head.h"

#include <string.h>
#include <strings.h>

static const struct {
    enum error code;
    const char *text;
} faults[EDGE_FAULT_COUNT] = {
    [EDGE_OK] = {ERR_BAD_FRAMING, "the request is malformed"},
    [EDGE_BARE_LF] = {ERR_BAD_FRAMING, "a line does not end with CR LF"},
    [EDGE_CONTROL_CHARACTER] = {ERR_BAD_FRAMING, "the head contains a control character"},
    [EDGE_REQUEST_LINE] = {ERR_BAD_FRAMING, "the request line is not 'METHOD /path HTTP/1.1'"},
    [EDGE_METHOD] = {ERR_METHOD_NOT_ALLOWED, "the method is not known here"},
    [EDGE_HEAD_TOO_LARGE] = {ERR_BAD_FRAMING, "the head has more than 16384 bytes"},
    [EDGE_TOO_MANY_HEADERS] = {ERR_BAD_FRAMING, "the head has more than 100 lines"},
    [EDGE_HEADER_NAME] = {ERR_BAD_FRAMING, "a header's name is not a token followed by ':'"},
    [EDGE_FOLDED_HEADER] = {ERR_BAD_FRAMING, "a header is folded over lines"},
    [EDGE_HOST] = {ERR_BAD_FRAMING, "exactly one Host header is needed"},
    [EDGE_CONTENT_LENGTH] = {ERR_BAD_FRAMING, "Content-Length must be given once, in digits"},
    [EDGE_TRANSFER_ENCODING] = {ERR_BAD_FRAMING, "the only Transfer-Encoding is 'chunked'"},
    [EDGE_LENGTH_AND_ENCODING] = {ERR_BAD_FRAMING,
                                  "Content-Length and Transfer-Encoding exclude each other"},
    [EDGE_EXPECT] = {ERR_EXPECTATION_FAILED, "the only Expect is '100-continue'"},
    [EDGE_BODY_NOT_ALLOWED] = {ERR_BAD_FRAMING, "this method takes no body"},
    [EDGE_BODY_TOO_LARGE] = {ERR_BODY_TOO_LARGE, "the body has more than 262144 bytes"},
    [EDGE_CHUNKS] = {ERR_BAD_FRAMING, "the body is not in plain chunks"},
};

enum error edge_fault_code(enum edge_fault fault)
{
    return faults[fault < EDGE_FAULT_COUNT ? fault : EDGE_OK].code;
}

const char *edge_fault_text(enum edge_fault fault)
{
    return faults[fault < EDGE_FAULT_COUNT ? fault : EDGE_OK].text;
}

size_t edge_head_end(const char *bytes, size_t len, size_t *seen, enum edge_fault *fault)
{
    *fault = EDGE_OK;
    for (size_t i = *seen; i < len; i++) {
        if (bytes[i] != '\n')
            continue;
        if (i == 0 || bytes[i - 1] != '\r') {
            *fault = EDGE_BARE_LF;
            return 0;
        }
        /* An empty line is the head's end; before the request line it is no head at all. */
        if (i < 3 || bytes[i - 2] == '\n') {
            *fault = i < 3 ? EDGE_REQUEST_LINE : EDGE_OK;
            return i < 3 ? 0 : i + 1;
        }
    }
    *seen = len;
    if (len > EDGE_HEAD_MAX)
        *fault = EDGE_HEAD_TOO_LARGE;
    return 0;
}

static bool is_token(char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr(others, c));
}

static size_t token_len(const char *at, size_t len)
{
    size_t n = 0;
    while (n < len && is_token(at[n]))
        n++;
    return n;
}

struct line {
    const char *at; /* without its CR LF */
    size_t len;
};

/* What the headers said so far. */
struct survey {
    struct edge_head head;
    bool has_length, takes_body, is_http_1_0;
    int hosts, encodings;
};

static const struct {
    const char *name;
    bool takes_body;
} methods[] = {{"GET", false},    {"HEAD", false}, {"POST", true},     {"PUT", true},
               {"DELETE", false}, {"PATCH", true}, {"OPTIONS", false}, {"TRACE", false}};

static enum edge_fault take_method(const char *name, size_t len, struct survey *survey)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strlen(methods[i].name) == len && memcmp(methods[i].name, name, len) == 0) {
            survey->takes_body = methods[i].takes_body;
            return EDGE_OK;
        }
    }
    return EDGE_METHOD;
}

static enum edge_fault check_request_line(struct line line, struct survey *survey)
{
    static const char version[] = " HTTP/1.";
    const size_t version_len = sizeof version; /* one digit stands for the NUL */
    size_t method = token_len(line.at, line.len);
    if (method == 0 || line.len < method + 2 + version_len || line.at[method] != ' ' ||
        line.at[method + 1] != '/')
        return EDGE_REQUEST_LINE;
    const char *end = line.at + line.len - version_len;
    if (memcmp(end, version, version_len - 1) != 0 || (end[8] != '0' && end[8] != '1'))
        return EDGE_REQUEST_LINE;
    /* "//host" would be read as an authority. */
    if (line.at[method + 2] == '/')
        return EDGE_REQUEST_LINE;
    for (const char *at = line.at + method + 1; at < end; at++)
        if (*at <= ' ' || *at > '~' || *at == '#')
            return EDGE_REQUEST_LINE;
    survey->is_http_1_0 = end[8] == '0';
    return take_method(line.at, method, survey);
}

static enum edge_fault take_content_length(const char *value, size_t len, struct survey *survey)
{
    if (survey->has_length || len == 0 || len > 18)
        return EDGE_CONTENT_LENGTH;
    survey->has_length = true;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return EDGE_CONTENT_LENGTH;
        survey->head.content_length = survey->head.content_length * 10 + (value[i] - '0');
    }
    return EDGE_OK;
}

static enum edge_fault take_header(const char *name, size_t name_len, const char *value, size_t len,
                                   struct survey *survey)
{
    if (name_len == 4 && strncasecmp(name, "Host", 4) == 0) {
        survey->hosts += 1;
    } else if (name_len == 14 && strncasecmp(name, "Content-Length", 14) == 0) {
        return take_content_length(value, len, survey);
    } else if (name_len == 17 && strncasecmp(name, "Transfer-Encoding", 17) == 0) {
        survey->head.chunked = true;
        if (++survey->encodings > 1 || len != 7 || strncasecmp(value, "chunked", 7) != 0)
            return EDGE_TRANSFER_ENCODING;
    } else if (name_len == 6 && strncasecmp(name, "Expect", 6) == 0) {
        return len == 12 && strncasecmp(value, "100-continue", 12) == 0 ? EDGE_OK : EDGE_EXPECT;
    }
    return EDGE_OK;
}

static enum edge_fault check_header_line(struct line line, struct survey *survey)
{
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return EDGE_FOLDED_HEADER;
    size_t name = token_len(line.at, line.len);
    if (name == 0 || name == line.len || line.at[name] != ':')
        return EDGE_HEADER_NAME;
    const char *value = line.at + name + 1, *end = line.at + line.len;
    for (const char *at = value; at < end; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7F)
            return EDGE_CONTROL_CHARACTER;
    /* evhttp takes a leading tab for a part of the value. */
    while (value < end && *value == ' ')
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return take_header(line.at, name, value, (size_t)(end - value), survey);
}

/* What only the whole head can tell. */
static enum edge_fault check_together(const struct survey *survey)
{
    if (survey->hosts > 1 || (survey->hosts == 0 && !survey->is_http_1_0))
        return EDGE_HOST;
    if (survey->has_length && survey->encodings)
        return EDGE_LENGTH_AND_ENCODING;
    if (survey->encodings && survey->is_http_1_0)
        return EDGE_TRANSFER_ENCODING;
    if (!survey->takes_body && (survey->head.content_length > 0 || survey->encodings))
        return EDGE_BODY_NOT_ALLOWED;
    if (survey->head.content_length > EDGE_BODY_MAX)
        return EDGE_BODY_TOO_LARGE;
    return EDGE_OK;
}

enum edge_fault edge_head_check(const char *head, size_t len, struct edge_head *out)
{
    struct survey survey = {0};
    enum edge_fault fault = EDGE_OK;
    size_t lines = 0;
    if (len > EDGE_HEAD_MAX)
        return EDGE_HEAD_TOO_LARGE;
    for (const char *at = head, *end = head + len; at < end && fault == EDGE_OK; lines++) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf || lf == at || lf[-1] != '\r')
            return EDGE_BARE_LF;
        struct line line = {at, (size_t)(lf - 1 - at)};
        at = lf + 1;
        if (lines == 0)
            fault = check_request_line(line, &survey);
        else if (line.len > 0 && lines > EDGE_HEADERS_MAX)
            fault = EDGE_TOO_MANY_HEADERS;
        else if (line.len > 0)
            fault = check_header_line(line, &survey);
    }
    if (fault == EDGE_OK)
        fault = lines == 0 ? EDGE_REQUEST_LINE : check_together(&survey);
    if (fault == EDGE_OK)
        *out = survey.head;
    return fault;
}
