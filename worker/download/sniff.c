/* Magic bytes. Sources: the formats' specifications and the WHATWG's MIME Sniffing standard. */
#include "worker/download/sniff.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct sniff mp4 = {"MP4", ".mp4", "video/mp4", MEDIA_VIDEO};
static const struct sniff mov = {"QuickTime", ".mov", "video/quicktime", MEDIA_VIDEO};
static const struct sniff m4a = {"MPEG-4 audio", ".m4a", "audio/mp4", MEDIA_AUDIO};
static const struct sniff webm = {"WebM", ".webm", "video/webm", MEDIA_VIDEO};
static const struct sniff mkv = {"Matroska", ".mkv", "video/x-matroska", MEDIA_VIDEO};
static const struct sniff avi = {"AVI", ".avi", "video/x-msvideo", MEDIA_VIDEO};
static const struct sniff mpegts = {"MPEG transport stream", ".ts", "video/mp2t", MEDIA_VIDEO};
static const struct sniff flv = {"Flash video", ".flv", "video/x-flv", MEDIA_VIDEO};
static const struct sniff ogv = {"Ogg video", ".ogv", "video/ogg", MEDIA_VIDEO};
static const struct sniff ogg = {"Ogg audio", ".ogg", "audio/ogg", MEDIA_AUDIO};
static const struct sniff mp3 = {"MP3", ".mp3", "audio/mpeg", MEDIA_AUDIO};
static const struct sniff aac = {"AAC", ".aac", "audio/aac", MEDIA_AUDIO};
static const struct sniff flac = {"FLAC", ".flac", "audio/flac", MEDIA_AUDIO};
static const struct sniff wav = {"WAV", ".wav", "audio/wav", MEDIA_AUDIO};
static const struct sniff jpeg = {"JPEG", ".jpg", "image/jpeg", MEDIA_IMAGE};
/* clang-format on */

/* Recognised to be named in the refusal. */
static const struct sniff webp = {.name = "WebP image"}, heif = {.name = "HEIF image"},
                          html = {.name = "HTML"}, xml = {.name = "XML"},
                          playlist = {.name = "M3U8 playlist"}, text = {.name = "text"},
                          unknown = {.name = "of unknown type"}, png = {.name = "PNG image"},
                          gif = {.name = "GIF image"}, bmp = {.name = "BMP image"},
                          tiff = {.name = "TIFF image"}, pdf = {.name = "PDF"},
                          zip = {.name = "ZIP archive"}, gzip = {.name = "gzip"},
                          rar = {.name = "RAR archive"}, seven_zip = {.name = "7z archive"},
                          elf = {.name = "ELF program"}, asf = {.name = "ASF (WMV, WMA)"},
                          mpeg_ps = {.name = "MPEG program stream"};

static const struct {
    size_t offset, len;
    const char *magic;
    const struct sniff *is;
} rows[] = {
    {0, 4, "fLaC", &flac},
    {0, 4, "FLV\1", &flv},
    {0, 3, "ID3", &mp3},
    {0, 3, "\xff\xd8\xff", &jpeg},
    {0, 8, "\x89PNG\r\n\x1a\n", &png},
    {0, 4, "GIF8", &gif},
    {0, 4, "II*\0", &tiff},
    {0, 4, "MM\0*", &tiff},
    {0, 5, "%PDF-", &pdf},
    {0, 4, "PK\3\4", &zip},
    {0, 4, "PK\5\6", &zip},
    {0, 3, "\x1f\x8b\x08", &gzip},
    {0, 6, "Rar!\x1a\7", &rar},
    {0, 6, "7z\xbc\xaf\x27\x1c", &seven_zip},
    {0, 4,
     "\x7f"
     "ELF",
     &elf},
    {0, 8, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", &asf},
    {0, 4, "\0\0\1\xba", &mpeg_ps},
    /* QuickTime files older than the file type box. */
    {4, 4, "moov", &mov},
    {4, 4, "mdat", &mov},
    {4, 4, "wide", &mov},
    {4, 4, "pnot", &mov},
};

static bool has(const uint8_t *bytes, size_t len, size_t offset, const char *magic,
                size_t magic_len)
{
    return len >= offset + magic_len && memcmp(bytes + offset, magic, magic_len) == 0;
}

static const struct sniff *by_magic(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (has(bytes, len, rows[i].offset, rows[i].magic, rows[i].len))
            return rows[i].is;
    if (has(bytes, len, 0, "BM", 2) && has(bytes, len, 6, "\0\0\0\0", 4))
        return &bmp;
    return NULL;
}

/* ISO base media: the major brand tells the family. */
static const struct sniff *by_brand(const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *brand;
        const struct sniff *is;
    } brands[] = {{"qt  ", &mov},  {"M4A ", &m4a},  {"M4B ", &m4a},  {"avif", &heif},
                  {"avis", &heif}, {"heic", &heif}, {"heix", &heif}, {"hevc", &heif},
                  {"mif1", &heif}, {"msf1", &heif}};
    if (!has(bytes, len, 4, "ftyp", 4) || len < 12)
        return NULL;
    for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++)
        if (memcmp(bytes + 8, brands[i].brand, 4) == 0)
            return brands[i].is;
    return &mp4;
}

static const struct sniff *by_riff(const uint8_t *bytes, size_t len)
{
    if (!has(bytes, len, 0, "RIFF", 4) && !has(bytes, len, 0, "RF64", 4))
        return NULL;
    if (has(bytes, len, 8, "AVI ", 4))
        return &avi;
    if (has(bytes, len, 8, "WAVE", 4))
        return &wav;
    return has(bytes, len, 8, "WEBP", 4) ? &webp : NULL;
}

/* Matroska names its document type in the first, small element. */
static const struct sniff *by_ebml(const uint8_t *bytes, size_t len)
{
    if (!has(bytes, len, 0, "\x1a\x45\xdf\xa3", 4))
        return NULL;
    size_t within = len < 128 ? len : 128;
    if (memmem(bytes, within, "webm", 4))
        return &webm;
    return memmem(bytes, within, "matroska", 8) ? &mkv : NULL;
}

/* The first packet of each stream names its codec, all of them at the file's start. */
static const struct sniff *by_ogg(const uint8_t *bytes, size_t len)
{
    if (!has(bytes, len, 0, "OggS", 4))
        return NULL;
    bool video = memmem(bytes, len, "\x80theora", 7) || memmem(bytes, len, "OVP80", 5);
    return video ? &ogv : &ogg;
}

/* Sync bytes at the packets' distance: 188, or 192 with a time stamp before each (M2TS). */
static const struct sniff *by_packets(const uint8_t *bytes, size_t len)
{
    static const struct {
        size_t first, distance;
    } forms[] = {{0, 188}, {4, 192}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t found = 0, at = forms[i].first;
        for (; at < len && bytes[at] == 0x47; at += forms[i].distance)
            found++;
        if (at >= len && found >= 2)
            return &mpegts;
    }
    return NULL;
}

/* Frame headers of MPEG audio layer III and of AAC in ADTS: the sync word and no reserved value. */
static const struct sniff *by_frame(const uint8_t *bytes, size_t len)
{
    if (len < 4 || bytes[0] != 0xff)
        return NULL;
    if ((bytes[1] & 0xf6) == 0xf0)
        return (bytes[2] >> 2 & 15) < 13 ? &aac : NULL;
    bool layer3 = (bytes[1] & 0xe6) == 0xe2 && (bytes[1] >> 3 & 3) != 1;
    unsigned bitrate = bytes[2] >> 4, rate = bytes[2] >> 2 & 3;
    return layer3 && bitrate != 0 && bitrate != 15 && rate != 3 ? &mp3 : NULL;
}

static bool is_text(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] < 0x20 && !memchr("\t\n\f\r\x1b", bytes[i], 5))
            return false;
    return len > 0;
}

static const struct sniff *by_words(const uint8_t *bytes, size_t len)
{
    static const struct {
        const char *word;
        const struct sniff *is;
    } words[] = {{"<!doctype html", &html}, {"<html", &html},   {"<head", &html},
                 {"<body", &html},          {"<script", &html}, {"<!--", &html},
                 {"<?xml", &xml},           {"<svg", &xml},     {"#EXTM3U", &playlist}};
    size_t at = has(bytes, len, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (at < len && memchr(" \t\r\n\f", bytes[at], 5))
        at++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t word_len = strlen(words[i].word);
        if (len - at >= word_len &&
            strncasecmp((const char *)bytes + at, words[i].word, word_len) == 0)
            return words[i].is;
    }
    return is_text(bytes, len) ? &text : NULL;
}

const struct sniff *sniff_bytes(const uint8_t *bytes, size_t len)
{
    static const struct sniff *(*const ways[])(const uint8_t *, size_t) = {
        by_brand, by_magic, by_riff, by_ebml, by_ogg, by_packets, by_frame, by_words};
    if (len > SNIFF_BYTES)
        len = SNIFF_BYTES;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const struct sniff *found = ways[i](bytes, len);
        if (found)
            return found;
    }
    return &unknown;
}
