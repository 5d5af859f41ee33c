#!/bin/sh
# The peer for a source that is kept as it is: its packets in CMAF segments of 6 s, one process, nothing decoded.
# usage: ffmpeg_remux.sh SOURCE OUTDIR
set -eu
src=$(realpath "$1"); mkdir -p "$2"; cd "$2"
exec ffmpeg -v error -nostdin -y -i "$src" -map 0:v:0 -map 0:a:0 -c copy -f hls -hls_time 6 -hls_playlist_type vod \
  -hls_segment_type fmp4 -hls_segment_filename 'seg_%05d.m4s' index.m3u8
