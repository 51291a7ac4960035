/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "movie_internal.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <string.h>

/* AVI, MP4, MOV and other containers through the FFmpeg libraries. The packets are counted once
 * when the file is opened, which costs one pass without decoding: headers are often wrong about
 * the number of frames, and a recording that was cut off is noticed. Then frames are decoded in
 * order; going back begins anew. */

/* Containers that hold a movie in one file; no playlists, nothing that opens another file. */
#define CONTAINERS "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpeg,mpegts,asf,ogg"

typedef struct video_movie {
    char *url; /* owned */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    int stream;
    size_t next;    /* frame that the decoder gives next */
    bool ended;     /* all packets were handed to the decoder */
    uint16_t *line; /* owned: three components of a row */
} video_movie;

/* ---- what FFmpeg says ---------------------------------------------------------------- */

#define REASON_BYTES 160

static _Thread_local char last_message[REASON_BYTES];

static void keep_message(void *context, int level, const char *format, va_list arguments)
    NG_PRINTF(3, 0);

static void keep_message(void *context, int level, const char *format, va_list arguments)
{
    (void)context;
    if (level <= AV_LOG_ERROR) {
        vsnprintf(last_message, sizeof last_message, format, arguments);
        last_message[strcspn(last_message, "\r\n")] = '\0';
    }
}

void ng_movie_hush_video(void)
{
    av_log_set_callback(keep_message);
}

static const char *reason(int code, char text[2 * REASON_BYTES])
{
    char number[REASON_BYTES] = "";
    av_strerror(code, number, sizeof number);
    snprintf(text, 2 * REASON_BYTES, "%s%s%s", number, last_message[0] != '\0' ? ": " : "",
             last_message);
    return text;
}

/* ---- opening ------------------------------------------------------------------------- */

static void close_decoder(video_movie *v)
{
    av_packet_free(&v->packet);
    av_frame_free(&v->frame);
    avcodec_free_context(&v->codec);
    avformat_close_input(&v->format);
}

static void close_video(void *state)
{
    video_movie *v = state;
    close_decoder(v);
    ng_free(v->url);
    ng_free(v->line);
    ng_free(v);
}

static int open_container(video_movie *v)
{
    AVDictionary *options = NULL;
    last_message[0] = '\0';
    av_dict_set(&options, "format_whitelist", CONTAINERS, 0);
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    int code = avformat_open_input(&v->format, v->url, NULL, &options);
    av_dict_free(&options);
    if (code >= 0) {
        code = avformat_find_stream_info(v->format, NULL);
    }
    if (code < 0) {
        return code;
    }
    v->stream = av_find_best_stream(v->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    for (unsigned i = 0; v->stream >= 0 && i < v->format->nb_streams; i++) {
        if ((int)i != v->stream) {
            v->format->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    return v->stream;
}

static int open_codec(video_movie *v)
{
    const AVCodecParameters *parameters = v->format->streams[v->stream]->codecpar;
    const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
    v->codec = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    v->frame = av_frame_alloc();
    v->packet = av_packet_alloc();
    if (codec == NULL) {
        return AVERROR_DECODER_NOT_FOUND;
    }
    if (v->codec == NULL || v->frame == NULL || v->packet == NULL) {
        return AVERROR(ENOMEM);
    }
    int code = avcodec_parameters_to_context(v->codec, parameters);
    /* One thread: callers share out movies and frames themselves. */
    v->codec->thread_count = 1;
    return code >= 0 ? avcodec_open2(v->codec, codec, NULL) : code;
}

static int open_decoder(video_movie *v)
{
    close_decoder(v);
    v->next = 0;
    v->ended = false;
    int code = open_container(v);
    return code >= 0 ? open_codec(v) : code;
}

/* ---- decoding ------------------------------------------------------------------------ */

static int feed(video_movie *v)
{
    int code = av_read_frame(v->format, v->packet);
    if (code == AVERROR_EOF) {
        v->ended = true;
        return avcodec_send_packet(v->codec, NULL);
    }
    if (code >= 0 && v->packet->stream_index == v->stream) {
        code = avcodec_send_packet(v->codec, v->packet);
    }
    av_packet_unref(v->packet);
    return code;
}

/* The next frame into v->frame. */
static int decode_next(video_movie *v)
{
    int code = avcodec_receive_frame(v->codec, v->frame);
    while (code == AVERROR(EAGAIN) && !v->ended) {
        code = feed(v);
        if (code >= 0) {
            code = avcodec_receive_frame(v->codec, v->frame);
        }
    }
    if (code >= 0) {
        v->next++;
    }
    return code;
}

/* Decode until v->frame holds frame `index`. */
static int decode_to(video_movie *v, size_t index)
{
    int code = 0;
    last_message[0] = '\0';
    if (v->next > index + 1 || v->codec == NULL) {
        code = open_decoder(v);
    }
    while (code >= 0 && v->next <= index) {
        code = decode_next(v);
    }
    return code;
}

/* ---- luminance ----------------------------------------------------------------------- */

static void read_component(const video_movie *v, const AVPixFmtDescriptor *format, int y, int c,
                           uint16_t *to)
{
    const AVFrame *frame = v->frame;
    const uint8_t *data[4] = {frame->data[0], frame->data[1], frame->data[2], frame->data[3]};
    bool palette = (format->flags & AV_PIX_FMT_FLAG_PAL) != 0;
    av_read_image_line2(to, data, frame->linesize, format, 0, y, c, frame->width, palette,
                        sizeof *to);
}

/* Y as stored; of colours the weights of ITU-R BT.601, written so that equal components give
 * exactly their value. */
static void read_line(const video_movie *v, const AVPixFmtDescriptor *format, int y, float *to)
{
    size_t width = (size_t)v->frame->width;
    bool palette = (format->flags & AV_PIX_FMT_FLAG_PAL) != 0;
    bool colour = (format->flags & AV_PIX_FMT_FLAG_RGB) != 0 && format->nb_components >= 3;
    if (!palette && !colour) {
        read_component(v, format, y, 0, v->line);
        ng_pixels_convert(NG_PIXEL_UINT16, false, v->line, 1, width, to);
        return;
    }
    /* Entries of a palette are 0xAARRGGBB in the machine's byte order. */
    int red = !palette ? 0 : ng_little_endian() ? 2 : 1;
    int green = !palette ? 1 : ng_little_endian() ? 1 : 2;
    int blue = !palette ? 2 : ng_little_endian() ? 0 : 3;
    read_component(v, format, y, red, v->line);
    read_component(v, format, y, green, v->line + width);
    read_component(v, format, y, blue, v->line + 2 * width);
    for (size_t x = 0; x < width; x++) {
        float g = v->line[width + x];
        to[x] = g + 0.299f * ((float)v->line[x] - g) + 0.114f * ((float)v->line[2 * width + x] - g);
    }
}

/* What is wrong with the decoded frame, or NULL. */
static const char *check_frame(const video_movie *v, const ng_movie_info *info)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(v->frame->format);
    if (format == NULL || (format->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT)) ||
        format->comp[0].depth > 16) {
        return "its kind of pixels is not read";
    }
    if ((size_t)v->frame->width != info->width || (size_t)v->frame->height != info->height) {
        return "it differs in size from the first frame";
    }
    if ((v->frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 || v->frame->decode_error_flags != 0) {
        return "its data are damaged";
    }
    return NULL;
}

static ng_status fail_decode(ng_movie *movie, size_t index, int code, ng_error *err)
{
    char text[2 * REASON_BYTES];
    if (code == AVERROR_EOF) {
        return ng_movie_fail_frame(movie, index, err,
                                   "the video stops before it; it was cut off or damaged");
    }
    return ng_movie_fail_frame(movie, index, err, "it cannot be decoded (%s)", reason(code, text));
}

static ng_status read_video(ng_movie *movie, size_t index, float *pixel, ng_error *err)
{
    video_movie *v = movie->state;
    int code = decode_to(v, index);
    if (code < 0) {
        close_decoder(v);
        return fail_decode(movie, index, code, err);
    }
    const char *wrong = check_frame(v, &movie->info);
    if (wrong != NULL) {
        return ng_movie_fail_frame(movie, index, err, "%s", wrong);
    }
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(v->frame->format);
    for (size_t y = 0; y < movie->info.height; y++) {
        read_line(v, format, (int)y, pixel + y * movie->info.width);
    }
    return NG_OK;
}

/* ---- how many frames, how far apart -------------------------------------------------- */

typedef struct count {
    size_t frames;
    double last_s;             /* end of the last packet */
    double step_min, step_max; /* between packets, s */
    int code;                  /* how reading ended */
} count;

static void count_packets(video_movie *v, count *c)
{
    AVPacket *packet = v->packet;
    double tick = av_q2d(v->format->streams[v->stream]->time_base);
    double last = (double)NAN;
    *c = (count){.step_min = INFINITY, .step_max = -INFINITY, .last_s = 0.0};
    while ((c->code = av_read_frame(v->format, packet)) >= 0) {
        if (packet->stream_index == v->stream && (packet->flags & AV_PKT_FLAG_DISCARD) == 0) {
            int64_t at = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
            double now = at != AV_NOPTS_VALUE ? tick * (double)at : (double)NAN;
            c->frames++;
            /* fmin and fmax pass over what is unknown. */
            c->step_min = fmin(c->step_min, now - last);
            c->step_max = fmax(c->step_max, now - last);
            c->last_s = fmax(c->last_s, now + tick * (double)packet->duration);
            last = now;
        }
        av_packet_unref(packet);
    }
}

static void calibrate(const video_movie *v, const count *c, const ng_movie_opening *o)
{
    const AVStream *stream = v->format->streams[v->stream];
    AVRational rate =
        stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
    const char *path = o->movie->path;
    if (rate.num <= 0 || rate.den <= 0) {
        return;
    }
    double frame_s = (double)rate.den / (double)rate.num;
    o->movie->info.frame_s = frame_s;
    ng_warnings_add(o->warnings, "playing-speed",
                    "%s: %g s between frames is the speed at which the video plays; pass "
                    "--frame-s when it was recorded at another",
                    path, frame_s);
    if (c->frames > 2 && c->step_max - c->step_min > 0.5 * frame_s) {
        ng_warnings_add(o->warnings, "times-uneven",
                        "%s: frames are %g to %g s apart; they are taken as even", path,
                        c->step_min, c->step_max);
    }
}

/* What the header says of the length, in s; 0: nothing. Matroska says it of the file only, which
 * is the same where there is one stream. */
static double promised_s(const video_movie *v)
{
    const AVStream *stream = v->format->streams[v->stream];
    if (v->format->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) {
        return 0.0;
    }
    if (stream->duration > 0) {
        return av_q2d(stream->time_base) * (double)stream->duration;
    }
    bool alone = v->format->nb_streams == 1 && v->format->duration > 0;
    return alone ? (double)v->format->duration / AV_TIME_BASE : 0.0;
}

/* A header that promises more time than there is tells of a recording that was cut off. */
static void find_break(const video_movie *v, const count *c, const ng_movie_opening *o)
{
    const int64_t promised = v->format->streams[v->stream]->nb_frames;
    ng_movie_info *info = &o->movie->info;
    char text[2 * REASON_BYTES];
    info->frames = c->frames;
    info->readable = c->frames;
    double missing_s = promised_s(v) - c->last_s;
    if (c->code != AVERROR_EOF) {
        info->frames++;
        ng_movie_break(o->movie, c->frames, "the video stops (%s)", reason(c->code, text));
    } else if (missing_s > 1.5 * info->frame_s || promised > (int64_t)c->frames + 1) {
        info->frames = promised > (int64_t)c->frames ? (size_t)promised : c->frames + 1;
        ng_movie_break(o->movie, c->frames,
                       "the video stops before it, but its header says that it is longer; it was "
                       "cut off");
    }
}

static ng_status describe(video_movie *v, ng_movie_opening *o)
{
    const AVCodecParameters *parameters = v->format->streams[v->stream]->codecpar;
    ng_movie_info *info = &o->movie->info;
    count c;
    snprintf(info->format, sizeof info->format, "video");
    ng_status status =
        ng_movie_check_size(o, parameters->width > 0 ? (uint64_t)parameters->width : 0,
                            parameters->height > 0 ? (uint64_t)parameters->height : 0);
    if (status != NG_OK) {
        return status;
    }
    count_packets(v, &c);
    if (c.frames == 0 && v->format->duration > 0) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: cannot be opened as a video (its index is damaged); it was cut off",
                       o->movie->path);
    }
    if (c.frames == 0) {
        return NG_FAIL(o->err, NG_TOO_LITTLE, "%s: the video holds no frame", o->movie->path);
    }
    calibrate(v, &c, o);
    find_break(v, &c, o);
    v->line = NG_NEW(uint16_t, 3 * info->width);
    if (v->line == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    close_decoder(v);
    int code = decode_to(v, 0);
    if (code < 0) {
        return fail_decode(o->movie, 0, code, o->err);
    }
    const char *wrong = check_frame(v, info);
    if (wrong != NULL) {
        return ng_movie_fail_frame(o->movie, 0, o->err, "%s", wrong);
    }
    info->bits = av_pix_fmt_desc_get(v->frame->format)->comp[0].depth;
    return NG_OK;
}

ng_status ng_movie_open_video(ng_movie_opening *o)
{
    video_movie *v = NG_NEW(video_movie, 1);
    char text[2 * REASON_BYTES];
    if (v == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    o->movie->state = v;
    o->movie->close = close_video;
    o->movie->read = read_video;
    /* Without it a name such as "concat:..." would be more than a name. */
    v->url = ng_text_format("file:%s", o->movie->path);
    if (v->url == NULL) {
        return NG_FAIL(o->err, NG_MEMORY, "%s: out of memory", o->movie->path);
    }
    int code = open_decoder(v);
    /* A file of sound alone is whole; streams of no kind tell of a damaged index. */
    if (code == AVERROR_STREAM_NOT_FOUND &&
        av_find_best_stream(v->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0) < 0) {
        return NG_FAIL(o->err, NG_FORMAT,
                       "%s: cannot be opened as a video (its index is damaged); it was cut off",
                       o->movie->path);
    }
    if (code == AVERROR_STREAM_NOT_FOUND) {
        return NG_FAIL(o->err, NG_TOO_LITTLE, "%s: the file holds no video", o->movie->path);
    }
    if (code < 0) {
        return NG_FAIL(o->err, NG_FORMAT, "%s: cannot be opened as a video (%s)", o->movie->path,
                       reason(code, text));
    }
    return describe(v, o);
}
