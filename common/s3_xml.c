/* A reader for small XML documents of few forms, whose bytes come from outside. */
#include "common/s3_xml.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 64, PATH_LEN = S3_XML_DEPTH * (NAME_MAX_LEN + 1) };

struct reader {
    const char *at, *end, *root;
    char path[PATH_LEN + 1];
    size_t starts[S3_XML_DEPTH]; /* where each name on the path begins */
    size_t depth, path_len;
    char text[S3_XML_TEXT + 1];
    size_t text_len;
    bool ended; /* the root element has */
    int (*element)(void *arg, const char *path, const char *text);
    void *arg;
};

static bool add_text(struct reader *reader, char c)
{
    if (reader->text_len == S3_XML_TEXT || c == '\0')
        return false;
    reader->text[reader->text_len++] = c;
    return true;
}

/* Moves behind `mark`; false if it does not come. */
static bool skip_past(struct reader *reader, const char *mark)
{
    const char *found = memmem(reader->at, (size_t)(reader->end - reader->at), mark, strlen(mark));
    if (found)
        reader->at = found + strlen(mark);
    return found != NULL;
}

static bool add_character(struct reader *reader, unsigned long c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return false;
    if (c < 0x80)
        return add_text(reader, (char)c);
    if (c < 0x800)
        return add_text(reader, (char)(0xc0 | c >> 6)) && add_text(reader, (char)(0x80 | (c & 63)));
    if (c < 0x10000)
        return add_text(reader, (char)(0xe0 | c >> 12)) &&
               add_text(reader, (char)(0x80 | (c >> 6 & 63))) &&
               add_text(reader, (char)(0x80 | (c & 63)));
    return add_text(reader, (char)(0xf0 | c >> 18)) &&
           add_text(reader, (char)(0x80 | (c >> 12 & 63))) &&
           add_text(reader, (char)(0x80 | (c >> 6 & 63))) &&
           add_text(reader, (char)(0x80 | (c & 63)));
}

/* `name` is what stands between & and ;. */
static bool add_entity(struct reader *reader, const char *name)
{
    static const struct {
        const char *name;
        char is;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    if (name[0] == '#') {
        bool hex = name[1] == 'x';
        const char *digits = name + (hex ? 2 : 1);
        size_t len = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
        return len > 0 && digits[len] == '\0' &&
               add_character(reader, strtoul(digits, NULL, hex ? 16 : 10));
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            return add_text(reader, known[i].is);
    return false;
}

static bool read_entity(struct reader *reader)
{
    char name[12];
    size_t len = 0;
    for (const char *c = reader->at + 1; c < reader->end && len < sizeof name; c++) {
        if (*c == '\0')
            return false;
        if (*c != ';') {
            name[len++] = *c;
            continue;
        }
        name[len] = '\0';
        reader->at = c + 1;
        return add_entity(reader, name);
    }
    return false;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static size_t name_len(const struct reader *reader)
{
    size_t len = 0;
    while (reader->at + len < reader->end && is_name_char(reader->at[len]))
        len++;
    return len <= NAME_MAX_LEN ? len : 0;
}

static bool close_element(struct reader *reader)
{
    size_t first = 0;
    while (reader->text_len > 0 && isspace((unsigned char)reader->text[reader->text_len - 1]))
        reader->text_len--;
    reader->text[reader->text_len] = '\0';
    while (isspace((unsigned char)reader->text[first]))
        first++;
    if (reader->element(reader->arg, reader->path, reader->text + first))
        return false;
    reader->depth--;
    reader->path_len = reader->depth > 0 ? reader->starts[reader->depth] - 1 : 0;
    reader->path[reader->path_len] = '\0';
    reader->text_len = 0;
    reader->ended = reader->depth == 0;
    return true;
}

/* Behind the name of a start tag: attributes up to > or />, whose values may hold either. */
static bool skip_attributes(struct reader *reader, bool *empty)
{
    char quote = '\0', before = '\0';
    for (; reader->at < reader->end; before = *reader->at++) {
        char c = *reader->at;
        if (quote) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '<') {
            return false;
        } else if (c == '>') {
            *empty = before == '/';
            reader->at++;
            return true;
        }
    }
    return false;
}

static bool open_element(struct reader *reader)
{
    size_t len = name_len(reader);
    bool empty = false;
    if (len == 0 || reader->depth == S3_XML_DEPTH || reader->ended)
        return false;
    if (reader->depth == 0 && reader->root &&
        (strlen(reader->root) != len || memcmp(reader->root, reader->at, len) != 0))
        return false;
    if (reader->depth > 0)
        reader->path[reader->path_len++] = '/';
    reader->starts[reader->depth++] = reader->path_len;
    memcpy(reader->path + reader->path_len, reader->at, len);
    reader->path_len += len;
    reader->path[reader->path_len] = '\0';
    reader->at += len;
    reader->text_len = 0;
    return skip_attributes(reader, &empty) && (!empty || close_element(reader));
}

static bool end_element(struct reader *reader)
{
    size_t len = name_len(reader);
    if (len == 0 || reader->depth == 0)
        return false;
    const char *open = reader->path + reader->starts[reader->depth - 1];
    if (strlen(open) != len || memcmp(open, reader->at, len) != 0)
        return false;
    reader->at += len;
    while (reader->at < reader->end && isspace((unsigned char)*reader->at))
        reader->at++;
    if (reader->at == reader->end || *reader->at++ != '>')
        return false;
    return close_element(reader);
}

static bool read_markup(struct reader *reader)
{
    size_t left = (size_t)(reader->end - reader->at);
    if (left >= 2 && memcmp(reader->at, "<?", 2) == 0)
        return skip_past(reader, "?>");
    if (left >= 4 && memcmp(reader->at, "<!--", 4) == 0)
        return skip_past(reader, "-->");
    reader->at++;
    if (left >= 2 && *reader->at == '/') {
        reader->at++;
        return end_element(reader);
    }
    return open_element(reader);
}

static bool read_piece(struct reader *reader)
{
    if (*reader->at == '<')
        return read_markup(reader);
    if (reader->depth == 0)
        return isspace((unsigned char)*reader->at++);
    if (*reader->at == '&')
        return read_entity(reader);
    return add_text(reader, *reader->at++);
}

int s3_xml_read(const char *xml, size_t len, const char *root,
                int (*element)(void *arg, const char *path, const char *text), void *arg,
                struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of the byte order */
    struct reader reader = {
        .at = xml, .end = xml + len, .root = root, .element = element, .arg = arg};
    if (len >= sizeof mark - 1 && memcmp(xml, mark, sizeof mark - 1) == 0)
        reader.at += sizeof mark - 1;
    while (reader.at < reader.end)
        if (!read_piece(&reader))
            return err_set(err, ERR_STORAGE_UNAVAILABLE,
                           "the storage's answer is not the expected XML");
    if (!reader.ended)
        return err_set(err, ERR_STORAGE_UNAVAILABLE, "the storage's answer ends within its XML");
    return 0;
}
