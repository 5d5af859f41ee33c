/* Order, the bound, the end, and that an abort wakes whoever waits. */
#include "worker/transcode/queue.h"

#include "check.h"

enum { FRAMES = 1000 };

static void *produce(void *arg)
{
    struct queue *queue = arg;
    CLEANUP(frame_free_at) AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = frame->height = 16;
    CHECK_INT(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < FRAMES; i++) {
        frame->pts = i;
        if (queue_push(queue, frame) < 0)
            return NULL;
    }
    queue_end(queue);
    return queue;
}

static void everything_arrives_in_order(void)
{
    struct queue queue;
    pthread_t thread;
    void *finished;
    int64_t next = 0;
    queue_init(&queue);
    CHECK_INT(pthread_create(&thread, NULL, produce, &queue), 0);
    for (AVFrame *frame; (frame = queue_pop(&queue)); av_frame_free(&frame))
        CHECK_INT(frame->pts, next++);
    CHECK_INT(next, FRAMES);
    pthread_join(thread, &finished);
    CHECK(finished && !queue_is_aborted(&queue));
    queue_release(&queue);
}

/* The producer is stuck at the bound, or will be. */
static void an_abort_ends_both_sides(void)
{
    struct queue queue;
    pthread_t thread;
    void *finished;
    queue_init(&queue);
    CHECK_INT(pthread_create(&thread, NULL, produce, &queue), 0);
    AVFrame *frame = queue_pop(&queue);
    av_frame_free(&frame);
    queue_abort(&queue);
    pthread_join(thread, &finished);
    CHECK(!finished && queue_is_aborted(&queue));
    CHECK(!queue_pop(&queue));
    queue_release(&queue);
}

int main(void)
{
    RUN(everything_arrives_in_order);
    RUN(an_abort_ends_both_sides);
    return 0;
}
