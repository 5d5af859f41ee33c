/* Writes playlists; the version is the lowest that covers the tags used (RFC 8216, section 7). */
#include "worker/transcode/playlist.h"

#include <inttypes.h>
#include <math.h>

enum { VERSION_IFRAMES_ONLY = 5, VERSION_MAP = 6 };

void playlist_measure(const struct segments *segments, double target_s, int64_t *peak_bps,
                      int64_t *average_bps)
{
    double peak = 0, bits = 0, all_s = 0;
    for (size_t i = 0; i < segments->len; i++) {
        double run_bits = 0, run_s = 0;
        for (size_t j = i;
             j < segments->len && run_s + segments->at[j].duration_s <= 1.5 * target_s; j++) {
            run_bits += 8.0 * (double)segments->at[j].bytes;
            run_s += segments->at[j].duration_s;
            if (run_s >= 0.5 * target_s)
                peak = fmax(peak, run_bits / run_s);
        }
        bits += 8.0 * (double)segments->at[i].bytes;
        all_s += segments->at[i].duration_s;
    }
    double average = all_s > 0 ? bits / all_s : 0;
    *average_bps = (int64_t)ceil(average);
    *peak_bps =
        (int64_t)ceil(fmax(peak, average)); /* an asset shorter than half a segment has no run */
}

void playlist_measure_iframes(const struct iframes *iframes, int64_t *peak_bps,
                              int64_t *average_bps)
{
    double peak = 0, bits = 0, all_s = 0;
    for (size_t i = 0; i < iframes->len; i++) {
        const struct iframe *iframe = &iframes->at[i];
        bits += 8.0 * (double)iframe->bytes;
        all_s += iframe->duration_s;
        if (iframe->duration_s > 0)
            peak = fmax(peak, 8.0 * (double)iframe->bytes / iframe->duration_s);
    }
    *peak_bps = (int64_t)ceil(peak);
    *average_bps = all_s > 0 ? (int64_t)ceil(bits / all_s) : 0;
}

static long target_of(double longest_s)
{
    return lround(fmax(longest_s, 1));
}

static void head(struct text *out, int version, double longest_s)
{
    text_printf(out,
                "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%ld\n#EXT-X-MEDIA-SEQUENCE:0\n"
                "#EXT-X-PLAYLIST-TYPE:VOD\n",
                version, target_of(longest_s));
}

static double longest_of(const struct segments *segments)
{
    double longest = 0;
    for (size_t i = 0; i < segments->len; i++)
        longest = fmax(longest, segments->at[i].duration_s);
    return longest;
}

long playlist_target(const struct segments *segments)
{
    return target_of(longest_of(segments));
}

void playlist_media(struct text *out, const struct segments *segments)
{
    head(out, VERSION_MAP, longest_of(segments));
    text_puts(out, "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    for (size_t i = 0; i < segments->len; i++)
        text_printf(out, "#EXTINF:%.6f,\nseg-%05zu.m4s\n", segments->at[i].duration_s, i + 1);
    text_puts(out, "#EXT-X-ENDLIST\n");
}

void playlist_iframes(struct text *out, const struct iframes *iframes)
{
    double longest = 0;
    for (size_t i = 0; i < iframes->len; i++)
        longest = fmax(longest, iframes->at[i].duration_s);
    head(out, VERSION_IFRAMES_ONLY, longest);
    text_puts(out, "#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"init.mp4\"\n");
    for (size_t i = 0; i < iframes->len; i++) {
        const struct iframe *iframe = &iframes->at[i];
        text_printf(out, "#EXTINF:%.6f,\n#EXT-X-BYTERANGE:%" PRId64 "@%" PRId64 "\nseg-%05zu.m4s\n",
                    iframe->duration_s, iframe->bytes, iframe->offset, iframe->segment + 1);
    }
    text_puts(out, "#EXT-X-ENDLIST\n");
}

static void variant(struct text *out, const struct playlist_master *master,
                    const struct rendition *video)
{
    const struct rendition *audio = master->audio;
    text_printf(out,
                "#EXT-X-STREAM-INF:BANDWIDTH=%" PRId64 ",AVERAGE-BANDWIDTH=%" PRId64
                ",CODECS=\"%s%s%s\"",
                video->peak_bps + (audio ? audio->peak_bps : 0),
                video->average_bps + (audio ? audio->average_bps : 0), video->codecs,
                audio ? "," : "", audio ? audio->codecs : "");
    text_printf(out,
                ",RESOLUTION=%" PRId64 "x%" PRId64
                ",FRAME-RATE=%.3f,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE%s\n%s\n",
                video->width, video->height, video->frame_rate, audio ? ",AUDIO=\"audio\"" : "",
                video->playlist);
}

static void iframe_variant(struct text *out, const struct playlist_video *video)
{
    const struct rendition *rendition = video->rendition;
    text_printf(out,
                "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=%" PRId64 ",AVERAGE-BANDWIDTH=%" PRId64
                ",CODECS=\"%s\",RESOLUTION=%" PRId64 "x%" PRId64 ",VIDEO-RANGE=SDR,URI=\"%s\"\n",
                video->iframes_peak_bps, video->iframes_average_bps, rendition->codecs,
                rendition->width, rendition->height, video->iframes);
}

void playlist_master(struct text *out, const struct playlist_master *master)
{
    const struct rendition *audio = master->audio;
    text_printf(out, "#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-INDEPENDENT-SEGMENTS\n", VERSION_MAP);
    if (master->video_len == 0 && audio) {
        text_printf(out,
                    "#EXT-X-STREAM-INF:BANDWIDTH=%" PRId64 ",AVERAGE-BANDWIDTH=%" PRId64
                    ",CODECS=\"%s\"\n%s\n",
                    audio->peak_bps, audio->average_bps, audio->codecs, audio->playlist);
        return;
    }
    if (audio)
        text_printf(
            out,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"audio\",LANGUAGE=\"%s\",DEFAULT=YES,"
            "AUTOSELECT=YES,CHANNELS=\"%d\",URI=\"%s\"\n",
            master->language, master->channels, audio->playlist);
    for (size_t i = 0; i < master->video_len; i++)
        variant(out, master, master->video[i].rendition);
    for (size_t i = 0; i < master->video_len; i++)
        if (master->video[i].iframes)
            iframe_variant(out, &master->video[i]);
}
