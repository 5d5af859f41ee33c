/* Reads the XML that S3 answers with: elements and text, bounded, nothing else. */
#ifndef COMMON_S3_XML_H
#define COMMON_S3_XML_H

#include <stddef.h>

#include "common/err.h"

enum { S3_XML_DEPTH = 8, S3_XML_TEXT = 4096 };

/* The root element must be `root` (NULL: any). Calls `element` at the end of every element with the
 * names on the way to it, "ListBucketResult/Contents/Key", and the text directly inside it, white
 * space trimmed; both live only during the call. Attributes, comments and processing instructions
 * are skipped; document types, unknown entities, depth above 8, longer texts, unbalanced or
 * unfinished elements are ERR_STORAGE_UNAVAILABLE, and so is -1 from `element`. */
int s3_xml_read(const char *xml, size_t len, const char *root,
                int (*element)(void *arg, const char *path, const char *text), void *arg,
                struct err *err);

#endif
