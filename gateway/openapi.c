/* One path item for each path of the table, one schema for each document that is reached from it.
 */
#include "gateway/openapi.h"

#include <string.h>

#include "common/doc_schema.h"
#include "common/json_text.h"
#include "gateway/reply.h"
#include "proto/answer.h"
#include "proto/route.h"

enum { SCHEMAS_MAX = 96 };

struct schemas {
    const struct doc *at[SCHEMAS_MAX];
    size_t len;
};

static void collect(struct schemas *schemas, const struct doc *doc)
{
    for (size_t i = 0; i < schemas->len; i++)
        if (schemas->at[i] == doc)
            return;
    if (!doc || schemas->len == SCHEMAS_MAX)
        return;
    schemas->at[schemas->len++] = doc;
    for (size_t i = 0; i < doc->len; i++)
        if (doc->fields[i].doc)
            collect(schemas, doc->fields[i].doc);
}

static void print_schemas(struct text *text)
{
    struct schemas schemas = {0};
    collect(&schemas, &problem_doc);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        collect(&schemas, routes[i].request);
        collect(&schemas, routes[i].response);
    }
    text_puts(text, "\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
                    "\"scheme\":\"bearer\",\"description\":\"An API key, or a JWT (HS256).\"}},"
                    "\"schemas\":{");
    for (size_t i = 0; i < schemas.len; i++) {
        text_printf(text, "%s\n\"%s\":", i ? "," : "", schemas.at[i]->name);
        doc_schema(schemas.at[i], text);
    }
    text_puts(text, "}}");
}

/* --- parameters --- */

static void begin_parameter(struct text *text, size_t *count, const char *in, const char *name,
                            size_t name_len, bool required)
{
    text_printf(text, "%s{\"in\":\"%s\",\"name\":\"%.*s\",\"required\":%s,", *count ? "," : "", in,
                (int)name_len, name, required ? "true" : "false");
    *count += 1;
}

static void print_path_parameters(const char *path, struct text *text, size_t *count)
{
    for (const char *at = path; (at = strchr(at, '{')); at++) {
        size_t len = strcspn(at + 1, "}");
        static const char rest[] = "…";
        if (len > sizeof rest - 1 &&
            memcmp(at + 1 + len - (sizeof rest - 1), rest, sizeof rest - 1) == 0)
            len -= sizeof rest - 1;
        begin_parameter(text, count, "path", at + 1, len, true);
        text_puts(text, "\"schema\":{\"type\":\"string\"}}");
    }
}

static void print_field_schema(const struct field *field, struct text *text)
{
    if (field->type == TYPE_INT64)
        text_printf(text, "{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld}",
                    (long long)field->min, (long long)field->max);
    else if (field->type != TYPE_ENUM)
        text_printf(text, "{\"type\":\"string\",\"maxLength\":%lld}", (long long)field->max);
    else {
        text_puts(text, "{\"enum\":[");
        for (size_t i = 1; field->names[i]; i++)
            text_printf(text, "%s\"%s\"", i > 1 ? "," : "", field->names[i]);
        text_puts(text, "]}");
    }
}

static void print_query_parameters(const struct doc *query, struct text *text, size_t *count)
{
    for (size_t i = 0; query && i < query->len; i++) {
        const struct field *field = &query->fields[i];
        begin_parameter(text, count, "query", field->name, strlen(field->name), false);
        text_puts(text, "\"description\":");
        json_string(text, field->text);
        text_puts(text, ",\"schema\":");
        print_field_schema(field, text);
        text_puts(text, "}");
    }
}

static void print_header_parameters(const struct route *route, struct text *text, size_t *count)
{
    if (route->flags & ROUTE_MAKES_JOB) {
        static const char name[] = "Idempotency-Key";
        begin_parameter(text, count, "header", name, sizeof name - 1, false);
        text_puts(text, "\"description\":\"The same key with the same body makes one job only.\","
                        "\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}}");
    }
    if (route == &routes[ROUTE_JOB]) {
        static const char name[] = "If-None-Match";
        begin_parameter(text, count, "header", name, sizeof name - 1, false);
        text_puts(text, "\"description\":\"The ETag of the last answer: 304 if nothing changed.\","
                        "\"schema\":{\"type\":\"string\"}}");
    }
}

/* --- operations --- */

static void print_answers(const struct route *route, struct text *text)
{
    text_printf(text, "\"responses\":{\"%d\":{\"description\":\"%s\"", route->status,
                reply_title(route->status));
    if (route->response || route->content_type)
        text_puts(text, ",\"content\":{");
    if (route->response)
        text_printf(text,
                    "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}",
                    route->response->name);
    else if (route->content_type)
        text_printf(text, "\"%s\":{}", route->content_type);
    if (route->response || route->content_type)
        text_puts(text, "}");
    text_puts(text, "},\"default\":{\"description\":\"A problem (RFC 9457)\",\"content\":{"
                    "\"application/problem+json\":{\"schema\":{\"$ref\":"
                    "\"#/components/schemas/problem\"}}}}}");
}

static void print_operation(const struct route *route, struct text *text)
{
    size_t count = 0;
    char method[8] = "";
    for (size_t i = 0; route->method[i] && i < sizeof method - 1; i++)
        method[i] = (char)(route->method[i] + ('a' - 'A'));
    text_printf(text, "\"%s\":{\"summary\":", method);
    json_string(text, route->text);
    text_puts(text, ",\"parameters\":[");
    print_path_parameters(route->path, text, &count);
    print_query_parameters(route->query, text, &count);
    print_header_parameters(route, text, &count);
    text_puts(text, "],");
    if (route->request)
        text_printf(text,
                    "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{"
                    "\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}},",
                    route->request->name);
    if (route->role == ROLE_NONE)
        text_puts(text, "\"security\":[],");
    else
        text_printf(text, "\"x-role\":\"%s\",\"security\":[{\"bearer\":[]}],",
                    role_names[route->role]);
    print_answers(route, text);
    text_puts(text, "}");
}

/* "/media/{grant}/{key…}" is written without the dots. */
static void print_path(const char *path, struct text *text)
{
    const char *dots = strstr(path, "…");
    text_puts(text, "\n\"");
    text_add(text, path, dots ? (size_t)(dots - path) : strlen(path));
    text_puts(text, dots ? "}\":{" : "\":{");
}

void openapi_print(struct text *text)
{
    text_puts(text, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"mediafleet\",\"version\":"
                    "\"" MEDIAFLEET_VERSION "\"},\n\"paths\":{");
    /* No two rows share a path yet, but for their methods; rows of one path stand next to each
     * other. */
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        bool again = i > 0 && strcmp(routes[i].path, routes[i - 1].path) == 0;
        text_puts(text, i == 0 ? "" : again ? "," : "},");
        if (!again)
            print_path(routes[i].path, text);
        print_operation(&routes[i], text);
    }
    text_puts(text, "}},\n");
    print_schemas(text);
    text_puts(text, "}\n");
}
