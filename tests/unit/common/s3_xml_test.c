/* The XML reader with what S3 sends and with what nobody should. */
#include "common/s3_xml.h"

#include <stdbool.h>

#include "check.h"

static char seen[4096];

static int note(void *arg, const char *path, const char *text)
{
    size_t len = strlen(seen);
    (void)arg;
    snprintf(seen + len, sizeof seen - len, "%s=%s;", path, text);
    return 0;
}

static int read_all(const char *xml)
{
    struct err err = {0};
    seen[0] = '\0';
    int result = s3_xml_read(xml, strlen(xml), NULL, note, NULL, &err);
    CHECK_INT(err.code, result ? ERR_STORAGE_UNAVAILABLE : ERR_NONE);
    return result;
}

static void answers_are_read(void)
{
    CHECK_INT(read_all("<?xml version=\"1.0\"?>\n<!-- a > b -->\n<Error>\n <Code>SlowDown</Code>\n"
                       " <Message> a &amp; b &lt;&#x41;&#233;&gt; </Message><Empty/><E x='/>' "
                       "y=\">\" />\n</Error>\n"),
              0);
    CHECK_STR(seen,
              "Error/Code=SlowDown;Error/Message=a & b <A\xc3\xa9>;Error/Empty=;Error/E=;Error=;");
    CHECK_INT(
        read_all("\xef\xbb\xbf<A "
                 "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><B><C>1</C></B><B></B></A>"),
        0);
    CHECK_STR(seen, "A/B/C=1;A/B=;A/B=;A=;");
}

static void hostile_documents_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "   ",
        "text",
        "<",
        "<a",
        "<a>",
        "<a></b>",
        "<a></a",
        "</a>",
        "<a></a><b></b>",
        "<a><b></a></b>",
        "<a x='></a>",
        "<a <b></b></a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<a><![CDATA[x]]></a>",
        "<a>&unknown;</a>",
        "<a>&#0;</a>",
        "<a>&#xd800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999999999999;</a>",
        "<a>&#;</a>",
        "<a>&#-5;</a>",
        "<a>&#x0x41;</a>",
        "<a>&#a;</a>",
        "text<a></a>",
        "<a></a>text",
        "<a></a>\xef\xbb\xbf",
        "<a>&amp</a>",
        "<a>&",
        "<?xml",
        "<!-- x",
        "<a><b><c><d><e><f><g><h><i></i></h></g></f></e></d></c></b></a>",
        "< a></a>",
        "<>x</>",
        "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>x</a>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_all(bad[i]) == 0) {
            fprintf(stderr, "'%s' was read\n", bad[i]);
            CHECK(false);
        }
}

static void texts_are_bounded(void)
{
    static char xml[S3_XML_TEXT + 64];
    struct err err = {0};
    memset(xml, 'x', sizeof xml);
    memcpy(xml, "<a>", 3);
    memcpy(xml + 3 + S3_XML_TEXT, "</a>", 5);
    CHECK_INT(read_all(xml), 0);
    memcpy(xml + 3 + S3_XML_TEXT, "x</a>", 6);
    CHECK_INT(read_all(xml), -1);
    CHECK_INT(s3_xml_read("<a>\0</a>", 8, "a", note, NULL, &err), -1);
    CHECK_INT(s3_xml_read("<a>&lt\0;</a>", 12, "a", note, NULL, &err), -1);
    CHECK_INT(s3_xml_read("<a>&#65\0;</a>", 13, "a", note, NULL, &err), -1);
}

/* Every beginning of a good document is refused without reading behind it. */
static void cut_documents_are_refused(void)
{
    static const char xml[] = "<?xml?><A x='1'><B>&lt;t&#65;</B><!--c--><C/></A>";
    for (size_t len = 0; len < sizeof xml - 1; len++) {
        struct err err = {0};
        char *copy = malloc(len ? len : 1);
        CHECK(copy);
        memcpy(copy, xml, len);
        CHECK_INT(s3_xml_read(copy, len, "A", note, NULL, &err), -1);
        free(copy);
    }
}

static int refuse(void *arg, const char *path, const char *text)
{
    (void)arg;
    (void)path;
    (void)text;
    return -1;
}

static void a_reader_may_refuse(void)
{
    struct err err = {0};
    CHECK_INT(s3_xml_read("<a/>", 4, "a", refuse, NULL, &err), -1);
    CHECK_INT(s3_xml_read("<a/>", 4, "b", note, NULL, &err), -1); /* another root */
}

int main(void)
{
    RUN(answers_are_read);
    RUN(hostile_documents_are_refused);
    RUN(texts_are_bounded);
    RUN(cut_documents_are_refused);
    RUN(a_reader_may_refuse);
    return 0;
}
