/* Documents as JSON Schema (2020-12), for OpenAPI. */
#ifndef COMMON_DOC_SCHEMA_H
#define COMMON_DOC_SCHEMA_H

#include "common/arena.h"
#include "proto/doc.h"

/* Adds the schema object of the document, embedded documents by "$ref": "#/components/schemas/<name>". */
void doc_schema(const struct doc *doc, struct text *text);

#endif
