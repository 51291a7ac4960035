/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Videos made by FFmpeg's own encoders, in AVI, MP4, MOV and Matroska. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <sys/stat.h>

#include "movie_test.h"

enum { WIDTH = 48, HEIGHT = 32, FRAMES = 24, MORE_FRAMES = 240 };

/* Smooth, so that codecs with loss come close; different in every frame. */
static unsigned char luma(size_t frame, size_t x, size_t y)
{
    return (unsigned char)(40 + 3 * frame % 90 + x + 2 * y);
}

typedef struct writer {
    AVFormatContext *format;
    AVStream *stream;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
} writer;

static void drain(writer *w)
{
    while (avcodec_receive_packet(w->codec, w->packet) == 0) {
        av_packet_rescale_ts(w->packet, w->codec->time_base, w->stream->time_base);
        w->packet->stream_index = 0;
        assert_int_equal(av_interleaved_write_frame(w->format, w->packet), 0);
    }
}

static void fill(AVFrame *frame, size_t index)
{
    const bool rgb = frame->format == AV_PIX_FMT_BGR24;
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < WIDTH; x++) {
            unsigned char *line = frame->data[0] + y * (size_t)frame->linesize[0];
            memset(line + (rgb ? 3 * x : x), luma(index, x, y), rgb ? 3 : 1);
        }
    }
    for (int plane = 1; !rgb && plane < 3 && frame->data[plane] != NULL; plane++) {
        memset(frame->data[plane], 128, HEIGHT / 2 * (size_t)frame->linesize[plane]);
    }
}

static void start(writer *w, const char *path, enum AVCodecID id, enum AVPixelFormat pixels)
{
    const AVCodec *codec = avcodec_find_encoder(id);
    assert_non_null(codec);
    assert_true(avformat_alloc_output_context2(&w->format, NULL, NULL, path) >= 0);
    w->stream = avformat_new_stream(w->format, NULL);
    w->codec = avcodec_alloc_context3(codec);
    w->codec->width = WIDTH;
    w->codec->height = HEIGHT;
    w->codec->pix_fmt = pixels;
    w->codec->time_base = (AVRational){1, 5};
    w->codec->framerate = (AVRational){5, 1};
    w->codec->gop_size = 6;
    w->codec->max_b_frames = id == AV_CODEC_ID_MPEG4 ? 2 : 0;
    w->codec->flags |= AV_CODEC_FLAG_QSCALE;
    w->codec->global_quality = 2 * FF_QP2LAMBDA;
    w->codec->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL; /* mjpeg in plain YUV */
    if ((w->format->oformat->flags & AVFMT_GLOBALHEADER) != 0) {
        w->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    assert_int_equal(avcodec_open2(w->codec, codec, NULL), 0);
    avcodec_parameters_from_context(w->stream->codecpar, w->codec);
    w->stream->time_base = w->codec->time_base;
    w->stream->avg_frame_rate = w->codec->framerate;
    assert_true(avio_open(&w->format->pb, path, AVIO_FLAG_WRITE) >= 0);
    assert_true(avformat_write_header(w->format, NULL) >= 0);
    w->packet = av_packet_alloc();
    w->frame = av_frame_alloc();
    w->frame->format = pixels;
    w->frame->width = WIDTH;
    w->frame->height = HEIGHT;
    w->frame->quality = w->codec->global_quality;
    assert_int_equal(av_frame_get_buffer(w->frame, 0), 0);
}

static const char *write_video(const char *name, enum AVCodecID id, enum AVPixelFormat pixels,
                               size_t frames)
{
    const char *path = test_output(name);
    writer w = {NULL, NULL, NULL, NULL, NULL};
    start(&w, path, id, pixels);
    for (size_t i = 0; i < frames; i++) {
        assert_int_equal(av_frame_make_writable(w.frame), 0);
        fill(w.frame, i);
        w.frame->pts = (int64_t)i;
        assert_int_equal(avcodec_send_frame(w.codec, w.frame), 0);
        drain(&w);
    }
    assert_int_equal(avcodec_send_frame(w.codec, NULL), 0);
    drain(&w);
    assert_int_equal(av_write_trailer(w.format), 0);
    avio_closep(&w.format->pb);
    av_frame_free(&w.frame);
    av_packet_free(&w.packet);
    avcodec_free_context(&w.codec);
    avformat_free_context(w.format);
    return path;
}

/* Largest difference from what was written. */
static double worst(opened *o, size_t frame)
{
    const float *pixel = read_good(o, frame);
    double most = 0.0;
    for (size_t y = 0; y < HEIGHT; y++) {
        for (size_t x = 0; x < WIDTH; x++) {
            most = fmax(most, fabs((double)pixel[y * WIDTH + x] - (double)luma(frame, x, y)));
        }
    }
    return most;
}

static const struct {
    const char *name;
    enum AVCodecID codec;
    enum AVPixelFormat pixels;
    double tolerance; /* lossless codecs: 0; the others at best quality: a few grey values */
} videos[] = {
    {"raw.avi", AV_CODEC_ID_RAWVIDEO, AV_PIX_FMT_BGR24, 0.0},
    {"ffv1.avi", AV_CODEC_ID_FFV1, AV_PIX_FMT_GRAY8, 0.0},
    {"ffv1.mkv", AV_CODEC_ID_FFV1, AV_PIX_FMT_YUV420P, 0.0},
    {"mjpeg.avi", AV_CODEC_ID_MJPEG, AV_PIX_FMT_YUVJ420P, 4.0},
    {"mpeg4.mp4", AV_CODEC_ID_MPEG4, AV_PIX_FMT_YUV420P, 8.0},
    {"mpeg4.mov", AV_CODEC_ID_MPEG4, AV_PIX_FMT_YUV420P, 8.0},
    {"mpeg4.avi", AV_CODEC_ID_MPEG4, AV_PIX_FMT_YUV420P, 8.0},
    {"png.mov", AV_CODEC_ID_PNG, AV_PIX_FMT_GRAY8, 0.0},
};

#define N_VIDEOS (sizeof videos / sizeof videos[0])

static void videos_come_back(void **state)
{
    (void)state;
    static const size_t back[] = {23, 5, 6, 6, 0};
    for (size_t v = 0; v < N_VIDEOS; v++) {
        const char *path = write_video(videos[v].name, videos[v].codec, videos[v].pixels, FRAMES);
        opened o = open_good(path);
        print_message("%s: %zu frames of %d bit\n", videos[v].name, o.info->frames, o.info->bits);
        assert_string_equal(o.info->format, "video");
        assert_int_equal(o.info->frames, FRAMES);
        assert_int_equal(o.info->readable, FRAMES);
        assert_int_equal(o.info->width, WIDTH);
        assert_int_equal(o.info->bits, 8);
        assert_close(o.info->frame_s, 0.2, 1e-6); /* containers count in ticks */
        assert_true(warned(&o, "playing-speed"));
        assert_false(warned(&o, "times-uneven") || warned(&o, "movie-broken"));
        for (size_t i = 0; i < FRAMES; i++) {
            assert_close(worst(&o, i), 0.0, videos[v].tolerance);
        }
        for (size_t i = 0; i < sizeof back / sizeof back[0]; i++) {
            assert_close(worst(&o, back[i]), 0.0, videos[v].tolerance);
        }
        close_opened(&o);
        unlink(path);
    }
}

/* A file that ends at 60 %: the frames before are there, the next one fails and says its number;
 * an MP4 or MOV has its index at the end and cannot be opened at all. */
static void a_video_that_stops_midway(void **state)
{
    (void)state;
    for (size_t v = 0; v < N_VIDEOS; v++) {
        const char *path =
            write_video(videos[v].name, videos[v].codec, videos[v].pixels, MORE_FRAMES);
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(truncate(path, info.st_size * 6 / 10), 0);
        opened o = open_with(path, NULL);
        if (strstr(path, ".m") != NULL && strstr(path, ".mkv") == NULL) {
            print_message("%s\n", message_tail(o.err.message, path));
            assert_int_equal(o.status, NG_FORMAT);
            /* the index is not there, or not whole */
            assert_true(strstr(o.err.message, "moov atom not found") != NULL ||
                        strstr(o.err.message, "its index is damaged") != NULL);
            close_opened(&o);
            unlink(path);
            continue;
        }
        assert_int_equal(o.status, NG_OK);
        assert_true(o.info->frames > o.info->readable);
        assert_true(warned(&o, "movie-broken"));
        float pixel[WIDTH * HEIGHT];
        ng_status status = NG_OK;
        size_t i = 0;
        while (i < o.info->frames && status == NG_OK) {
            status = ng_movie_read(o.movie, i, pixel, &o.err);
            i += status == NG_OK;
        }
        print_message("%s\n", message_tail(o.err.message, path));
        assert_int_equal(status, NG_FORMAT);
        /* headers, of up to 6 kB, are part of the 60 % */
        assert_in_range(i, MORE_FRAMES / 6, MORE_FRAMES * 8 / 10);
        char number[64];
        snprintf(number, sizeof number, ": frame %zu (the first is 0): ", i);
        assert_non_null(strstr(o.err.message, number));
        assert_close(worst(&o, i - 2), 0.0, videos[v].tolerance);
        close_opened(&o);
        unlink(path);
    }
}

static void what_is_no_video(void **state)
{
    (void)state;
    const char *path = test_written("no.mp4", "some words, none of which is a film\n");
    opened o = open_with(path, NULL);
    assert_int_equal(o.status, NG_FORMAT);
    assert_non_null(strstr(o.err.message, "cannot be opened as a video ("));
    close_opened(&o);
    /* a list of other files must not be followed */
    path = test_written("list.mov", "ffconcat version 1.0\nfile /etc/passwd\n");
    o = open_with(path, NULL);
    assert_int_equal(o.status, NG_FORMAT);
    close_opened(&o);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(videos_come_back),
        cmocka_unit_test(a_video_that_stops_midway),
        cmocka_unit_test(what_is_no_video),
    };
    ng_movie_hush_video();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
