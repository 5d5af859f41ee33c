/* Order, the bound, the end, that an abort wakes whoever waits, and many queues fed by one. */
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

static void *count(void *arg)
{
    int64_t next = 0;
    for (AVFrame *frame; (frame = queue_pop(arg)); av_frame_free(&frame))
        CHECK_INT(frame->pts, next++);
    return (void *)(intptr_t)next;
}

static int feed(const struct fan *fan, int frames)
{
    CLEANUP(frame_free_at) AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = frame->height = 16;
    CHECK_INT(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < frames; i++) {
        frame->pts = i;
        if (fan_push(fan, frame) < 0)
            return -1;
    }
    return 0;
}

/* An empty fan is that of a rendition which none is scaled from. */
static void a_fan_feeds_all(void)
{
    struct queue queues[FAN_MAX];
    pthread_t threads[FAN_MAX];
    struct fan fan = {0};
    CHECK_INT(feed(&fan, 1), 0);
    for (int i = 0; i < FAN_MAX; i++) {
        queue_init(&queues[i]);
        fan_add(&fan, &queues[i]);
        CHECK_INT(pthread_create(&threads[i], NULL, count, &queues[i]), 0);
    }
    CHECK_INT(feed(&fan, FRAMES), 0);
    fan_end(&fan);
    for (int i = 0; i < FAN_MAX; i++) {
        void *counted;
        pthread_join(threads[i], &counted);
        CHECK_INT((intptr_t)counted, FRAMES);
        queue_release(&queues[i]);
    }
}

static void a_fan_fails_with_one_of_its_queues(void)
{
    struct queue queues[2];
    struct fan fan = {0};
    for (int i = 0; i < 2; i++) {
        queue_init(&queues[i]);
        fan_add(&fan, &queues[i]);
    }
    queue_abort(&queues[1]);
    CHECK_INT(feed(&fan, 1), -1);
    CHECK(!queue_is_aborted(&queues[0]));
    fan_abort(&fan);
    CHECK(queue_is_aborted(&queues[0]));
    for (int i = 0; i < 2; i++)
        queue_release(&queues[i]);
}

int main(void)
{
    RUN(everything_arrives_in_order);
    RUN(an_abort_ends_both_sides);
    RUN(a_fan_feeds_all);
    RUN(a_fan_fails_with_one_of_its_queues);
    return 0;
}
