/* A bounded queue of frames between two threads; several of them fed by one. */
#ifndef WORKER_TRANSCODE_QUEUE_H
#define WORKER_TRANSCODE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "worker/media/libav.h"

/* Frames of 3 MB each. */
enum { QUEUE_MAX = 4, FAN_MAX = 4 };

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    AVFrame *frames[QUEUE_MAX];
    int first, len;
    bool ended;   /* nothing more will come */
    bool aborted; /* nobody wants it any more: push fails, pop ends */
};

void queue_init(struct queue *queue);
void queue_release(struct queue *queue);
/* Adds a reference to the frame; waits while the queue is full. -1: aborted. */
int queue_push(struct queue *queue, const AVFrame *frame);
/* The oldest frame, the caller's; NULL: ended or aborted. */
AVFrame *queue_pop(struct queue *queue);
bool queue_is_aborted(struct queue *queue);
void queue_end(struct queue *queue);
void queue_abort(struct queue *queue);

/* Queues that get the same frames. */
struct fan {
    struct queue *queues[FAN_MAX];
    int len;
};

void fan_add(struct fan *fan, struct queue *queue);
/* To every queue; -1: one of them is aborted. */
int fan_push(const struct fan *fan, const AVFrame *frame);
void fan_end(const struct fan *fan);
void fan_abort(const struct fan *fan);

#endif
