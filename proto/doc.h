/* What a document is: a C struct and the table of its fields, which every codec walks. */
#ifndef PROTO_DOC_H
#define PROTO_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum field_type {
    TYPE_STR,    /* const char *, NULL is absent; always valid UTF-8 without NUL inside */
    TYPE_BOOL,   /* bool */
    TYPE_INT64,  /* int64_t */
    TYPE_DOUBLE, /* double, finite */
    TYPE_ENUM,   /* an enum whose 0 is "absent", named by .names */
    TYPE_DOC,    /* a struct by value, described by .doc; all zero is absent */
    TYPE_DOCS,   /* struct {struct x *at; size_t len;}, described by .doc */
    TYPE_STRS,
    TYPE_INTS,
    TYPE_RAW /* free-form document: BSON bytes; JSON objects in and out */
};

struct strs {
    const char **at;
    size_t len;
};
struct ints {
    int64_t *at;
    size_t len;
};
struct raw {
    const uint8_t *at; /* one whole BSON document, or NULL */
    size_t len;
};

enum field_flags {
    FIELD_REQUIRED = 1, /* a document from outside without it is refused: missing-field */
    FIELD_ALWAYS = 2,   /* encoded even when zero */
    FIELD_TIME = 4,     /* int64: ms since 1970; JSON: RFC 3339 UTC with ms; BSON: date */
    FIELD_OID = 8,      /* str of 24 hex digits; BSON: ObjectId */
    FIELD_SECRET = 16,  /* never printed */
    FIELD_HIDDEN = 32,  /* in the store, not in JSON answers */
    FIELD_ID = 64       /* the record's key: named _id in the store */
};

/* One row. Zero min and max mean "no bound" (with a max, a min of zero counts: nothing negative); for strings they
 * bound the length in bytes, for lists the count, for free-form documents the bytes as BSON (8 KiB without). */
struct field {
    const char *name; /* on the wire */
    const char *text; /* one sentence: OpenAPI, --help, proto/README.md */
    const char *const *names; /* TYPE_ENUM: [0] NULL, then names, NULL at the end */
    const struct doc *doc;    /* TYPE_DOC, TYPE_DOCS */
    /* A further check of a string from outside: ERR_NONE, or the code to answer; *why may be set to a constant. */
    enum error (*check)(const char *value, const char **why);
    const char *fallback; /* settings: the value when the variable is not set, as text */
    int64_t min, max;
    size_t offset;
    enum field_type type;
    unsigned flags;
};

struct doc {
    const char *name;
    const struct field *fields;
    size_t len;
    size_t size; /* of the struct */
};

#define DOC(S, table) {.name = #S, .fields = (table), .len = sizeof(table) / sizeof(table)[0], .size = sizeof(struct S)}

/* clang-format off */
#define FIELD_TYPE_OF(member) _Generic((member),                                                   \
    char *: TYPE_STR, const char *: TYPE_STR, bool: TYPE_BOOL, int64_t: TYPE_INT64,                \
    double: TYPE_DOUBLE, unsigned int: TYPE_ENUM, struct strs: TYPE_STRS, struct ints: TYPE_INTS,  \
    struct raw: TYPE_RAW)
/* clang-format on */
#define FIELD_MEMBER(S, m) (((struct S *)0)->m)
/* FIELD(job, id, .flags = …, .text = "…"): the C member's type chooses the field's type. */
#define FIELD_AS(S, m, wire, ...) {.name = (wire), .offset = offsetof(struct S, m), .type = FIELD_TYPE_OF(FIELD_MEMBER(S, m)), __VA_ARGS__}
#define FIELD(S, m, ...) FIELD_AS(S, m, #m, __VA_ARGS__)
/* A struct by value, and a list of structs; the tag T must be the member's and have a `T_doc`. */
#define FIELD_DOC(S, m, T, ...) {.name = #m, .offset = offsetof(struct S, m), .type = _Generic(FIELD_MEMBER(S, m), struct T: TYPE_DOC), .doc = &T##_doc, __VA_ARGS__}
#define FIELD_DOCS(S, m, T, ...) {.name = #m, .offset = offsetof(struct S, m), .type = _Generic(FIELD_MEMBER(S, m).at, struct T *: TYPE_DOCS), .doc = &T##_doc, __VA_ARGS__}

/* Row of `doc` with that wire name, or NULL. */
const struct field *doc_field(const struct doc *doc, const char *name);
/* Every list member has this shape, whatever its elements: read it with field_list, write it with memcpy. */
struct list {
    void *at;
    size_t len;
};
struct list field_list(const struct field *field, const void *object);
/* Whether the member is zero, and so absent. `object` is the struct that the table describes. */
bool field_absent(const struct field *field, const void *object);
/* Index of a name in an enum's names, 0 if it is none of them. */
unsigned field_enum(const struct field *field, const char *name);

#endif
