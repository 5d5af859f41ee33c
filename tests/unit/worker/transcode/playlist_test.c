/* Playlists to the letter, and rates by Apple's definition. */
#include "worker/transcode/playlist.h"

#include "check.h"

static struct segment three[] = {{1000000, 6}, {2000000, 6}, {90000, 0.04}};
static const struct segments segments = {.at = three, .len = 3};

static void media(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    playlist_media(&text, &segments);
    CHECK_STR(text.at,
              "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
              "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
              "#EXTINF:6.000000,\nseg-00001.m4s\n#EXTINF:6.000000,\nseg-00002.m4s\n"
              "#EXTINF:0.040000,\nseg-00003.m4s\n#EXT-X-ENDLIST\n");
    arena_release(&arena);
}

static void target_duration_is_rounded(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    struct segment long_one[] = {{1, 6.5}};
    playlist_media(&text, &(struct segments){.at = long_one, .len = 1});
    CHECK(strstr(text.at, "TARGETDURATION:7\n"));
    CHECK_INT(playlist_target(&(struct segments){.at = long_one, .len = 1}), 7);
    CHECK_INT(playlist_target(&segments), 6);
    arena_release(&arena);
}

/* The sliver at the end counts only together with its neighbour. */
static void rates(void)
{
    int64_t peak, average;
    playlist_measure(&segments, 6, &peak, &average);
    CHECK_INT(peak, 2768212); /* 2,090,000 bytes in 6.04 s */
    CHECK_INT(average, 2053157);
    playlist_measure(&(struct segments){.at = three + 2, .len = 1}, 6, &peak, &average);
    CHECK_INT(peak, 18000000);
    playlist_measure(&(struct segments){0}, 6, &peak, &average);
    CHECK_INT(peak, 0);
}

static void iframes(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    struct iframe two[] = {{0, 24, 5000, 2}, {1, 0, 7000, 1.5}};
    playlist_iframes(&text, &(struct iframes){.at = two, .len = 2});
    CHECK_STR(text.at,
              "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
              "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n"
              "#EXTINF:2.000000,\n#EXT-X-BYTERANGE:5000@24\nseg-00001.m4s\n"
              "#EXTINF:1.500000,\n#EXT-X-BYTERANGE:7000@0\nseg-00002.m4s\n#EXT-X-ENDLIST\n");
    arena_release(&arena);
}

static const struct rendition video = {.playlist = "v720/index.m3u8",
                                       .width = 1280,
                                       .height = 720,
                                       .peak_bps = 3000000,
                                       .average_bps = 2000000,
                                       .frame_rate = 30000.0 / 1001,
                                       .codecs = "avc1.64001f"};
static const struct rendition audio = {.playlist = "audio/index.m3u8",
                                       .peak_bps = 130000,
                                       .average_bps = 120000,
                                       .codecs = "mp4a.40.2"};

static void master(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    const struct playlist_video entry = {&video, "v720/iframes.m3u8", 300000, 200000};
    playlist_master(&text, &(struct playlist_master){&entry, 1, &audio, 2, "de"});
    CHECK_STR(
        text.at,
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"audio\",LANGUAGE=\"de\",DEFAULT=YES,"
        "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio/index.m3u8\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=3130000,AVERAGE-BANDWIDTH=2120000,CODECS=\"avc1.64001f,mp4a."
        "40.2\","
        "RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="
        "\"audio\"\n"
        "v720/index.m3u8\n"
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=300000,AVERAGE-BANDWIDTH=200000,CODECS=\"avc1."
        "64001f\","
        "RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI=\"v720/iframes.m3u8\"\n");
    arena_release(&arena);
}

static void silent_and_audio_only(void)
{
    struct arena arena = {0};
    struct text silent = {.arena = &arena}, alone = {.arena = &arena};
    const struct playlist_video entry = {.rendition = &video};
    playlist_master(&silent, &(struct playlist_master){&entry, 1, NULL, 0, "und"});
    CHECK(!strstr(silent.at, "AUDIO") && !strstr(silent.at, "mp4a"));
    CHECK(strstr(silent.at, "BANDWIDTH=3000000,"));
    playlist_master(&alone, &(struct playlist_master){NULL, 0, &audio, 2, "und"});
    CHECK_STR(alone.at,
              "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n"
              "#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=120000,CODECS=\"mp4a.40.2\"\n"
              "audio/index.m3u8\n");
    arena_release(&arena);
}

int main(void)
{
    RUN(media);
    RUN(target_duration_is_rounded);
    RUN(rates);
    RUN(iframes);
    RUN(master);
    RUN(silent_and_audio_only);
    return 0;
}
