/* The frame queue: a ring under one lock; frames are references, pictures are not copied. */
#include "worker/transcode/queue.h"

void queue_init(struct queue *queue)
{
    *queue = (struct queue){0};
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->moved, NULL);
}

void queue_release(struct queue *queue)
{
    for (; queue->len > 0; queue->len--) {
        av_frame_free(&queue->frames[queue->first]);
        queue->first = (queue->first + 1) % QUEUE_MAX;
    }
    pthread_cond_destroy(&queue->moved);
    pthread_mutex_destroy(&queue->mutex);
}

int queue_push(struct queue *queue, const AVFrame *frame)
{
    CLEANUP(frame_free_at) AVFrame *copy = av_frame_clone(frame);
    if (!copy)
        abort();
    pthread_mutex_lock(&queue->mutex);
    while (queue->len == QUEUE_MAX && !queue->aborted)
        pthread_cond_wait(&queue->moved, &queue->mutex);
    bool aborted = queue->aborted;
    if (!aborted)
        queue->frames[(queue->first + queue->len++) % QUEUE_MAX] = TAKE(copy);
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
    return aborted ? -1 : 0;
}

AVFrame *queue_pop(struct queue *queue)
{
    AVFrame *frame = NULL;
    pthread_mutex_lock(&queue->mutex);
    while (queue->len == 0 && !queue->ended && !queue->aborted)
        pthread_cond_wait(&queue->moved, &queue->mutex);
    if (queue->len > 0 && !queue->aborted) {
        frame = queue->frames[queue->first];
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->len--;
    }
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
    return frame;
}

bool queue_is_aborted(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool aborted = queue->aborted;
    pthread_mutex_unlock(&queue->mutex);
    return aborted;
}

static void finish(struct queue *queue, bool aborted)
{
    pthread_mutex_lock(&queue->mutex);
    queue->ended = true;
    queue->aborted |= aborted;
    pthread_cond_broadcast(&queue->moved);
    pthread_mutex_unlock(&queue->mutex);
}

void queue_end(struct queue *queue)
{
    finish(queue, false);
}

void queue_abort(struct queue *queue)
{
    finish(queue, true);
}

void fan_add(struct fan *fan, struct queue *queue)
{
    fan->queues[fan->len++] = queue;
}

int fan_push(const struct fan *fan, const AVFrame *frame)
{
    for (int i = 0; i < fan->len; i++)
        if (queue_push(fan->queues[i], frame) < 0)
            return -1;
    return 0;
}

void fan_end(const struct fan *fan)
{
    for (int i = 0; i < fan->len; i++)
        queue_end(fan->queues[i]);
}

void fan_abort(const struct fan *fan)
{
    for (int i = 0; i < fan->len; i++)
        queue_abort(fan->queues[i]);
}
