/* Magic bytes: what is taken, and what is refused by name. */
#include "worker/download/sniff.h"

#include "check.h"

static void check(const char *bytes, size_t len, const char *name, const char *extension)
{
    const struct sniff *is = sniff_bytes((const uint8_t *)bytes, len);
    CHECK_STR(is->name, name);
    CHECK_STR(is->extension, extension);
    CHECK((is->media == MEDIA_NONE) == (extension == NULL));
    CHECK((is->content_type == NULL) == (extension == NULL));
}
#define SNIFF(literal, name, extension) check(literal, sizeof literal - 1, name, extension)

static void media_is_recognised(void)
{
    SNIFF("\0\0\0\x20"
          "ftypisom\0\0\2\0",
          "MP4", ".mp4");
    SNIFF("\0\0\0\x20"
          "ftypM4V \0\0\2\0",
          "MP4", ".mp4");
    SNIFF("\0\0\0\x14"
          "ftypqt  \0\0\0\0",
          "QuickTime", ".mov");
    SNIFF("\0\0\0\x14"
          "ftypM4A \0\0\0\0",
          "MPEG-4 audio", ".m4a");
    SNIFF("\0\0\0\x08"
          "wide\0\0\0\0mdat",
          "QuickTime", ".mov");
    SNIFF("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm", "WebM", ".webm");
    SNIFF("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x88matroska", "Matroska", ".mkv");
    SNIFF("RIFF\x10\x20\x30\0AVI LIST", "AVI", ".avi");
    SNIFF("RIFF\x10\x20\x30\0WAVEfmt ", "WAV", ".wav");
    SNIFF("FLV\1\5\0\0\0\x09", "Flash video", ".flv");
    SNIFF("OggS\0\2\0\0\0\0\0\0\0\0\1\2\3\4\0\0\0\0\1\2\3\4\1\x1e\1vorbis", "Ogg audio", ".ogg");
    SNIFF("OggS\0\2\0\0\0\0\0\0\0\0\1\2\3\4\0\0\0\0\1\2\3\4\1\x2a\x80theora", "Ogg video", ".ogv");
    SNIFF("ID3\3\0\0\0\0\0\0", "MP3", ".mp3");
    SNIFF("\xff\xfb\x90\x64\0\0", "MP3", ".mp3");
    SNIFF("\xff\xf1\x50\x80\0\0", "AAC", ".aac");
    SNIFF("fLaC\0\0\0\x22", "FLAC", ".flac");
    SNIFF("\xff\xd8\xff\xe0\0\x10JFIF", "JPEG", ".jpg");
}

static void transport_streams_are_recognised(void)
{
    char packets[192 * 5] = {0};
    for (size_t i = 0; i < 5; i++)
        packets[i * 188] = 0x47;
    check(packets, 188 * 5, "MPEG transport stream", ".ts");
    packets[188 * 3] = 0x48;
    check(packets, 188 * 5, "of unknown type", NULL);
    memset(packets, 0, sizeof packets);
    for (size_t i = 0; i < 5; i++)
        packets[4 + i * 192] = 0x47;
    check(packets, sizeof packets, "MPEG transport stream", ".ts");
}

static void the_rest_is_refused_by_name(void)
{
    SNIFF("\x89PNG\r\n\x1a\n\0\0", "PNG image", NULL);
    SNIFF("RIFF\x10\0\0\0WEBPVP8 ", "WebP image", NULL);
    SNIFF("GIF89a\1\0", "GIF image", NULL);
    SNIFF("\0\0\0\x20"
          "ftypavif\0\0\0\0",
          "HEIF image", NULL);
    SNIFF("\n <!DOCTYPE HTML><title>Sign in</title>", "HTML", NULL);
    SNIFF("\xef\xbb\xbf<html>", "HTML", NULL);
    SNIFF("<?xml version=\"1.0\"?>", "XML", NULL);
    SNIFF("#EXTM3U\n#EXTINF:6,\nfile:///etc/passwd\n", "M3U8 playlist", NULL);
    SNIFF("{\"error\": \"no\"}", "text", NULL);
    SNIFF("%PDF-1.7", "PDF", NULL);
    SNIFF("PK\3\4\x14\0", "ZIP archive", NULL);
    SNIFF("\x1f\x8b\x08\0", "gzip", NULL);
    SNIFF("\x7f"
          "ELF\2\1\1",
          "ELF program", NULL);
    SNIFF("\0\0\1\xba\x44", "MPEG program stream", NULL);
    SNIFF("\0\1\2\3\4\5\6\7", "of unknown type", NULL);
    SNIFF("\xff\xfe<\0h\0", "of unknown type", NULL);
    SNIFF("\xff\xfb\xf0\x64\0\0", "of unknown type", NULL);
    SNIFF("RIFF", "text", NULL);
    SNIFF("", "of unknown type", NULL);
}

/* Every beginning of every kind of file is read within its bounds. */
static void beginnings_are_read_within_bounds(void)
{
    static const char bytes[] = "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm";
    static const char *const starts[] = {"RIFF", "OggS", "\xff",         "\x47",
                                         "BM",   "<!-",  "\xef\xbb\xbf", "    "};
    for (size_t len = 0; len < sizeof bytes - 1; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        CHECK(copy);
        memcpy(copy, bytes, len);
        CHECK(sniff_bytes(copy, len)->name);
        free(copy);
    }
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t len = strlen(starts[i]);
        uint8_t *copy = malloc(len);
        CHECK(copy);
        memcpy(copy, starts[i], len);
        CHECK(sniff_bytes(copy, len)->name);
        free(copy);
    }
}

int main(void)
{
    RUN(media_is_recognised);
    RUN(transport_streams_are_recognised);
    RUN(the_rest_is_refused_by_name);
    RUN(beginnings_are_read_within_bounds);
    return 0;
}
