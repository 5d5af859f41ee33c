/* From deliveries to runs: claims, and what to do with tickets that cannot be claimed. Inside worker/ only. */
#ifndef WORKER_INTAKE_H
#define WORKER_INTAKE_H

#include "worker/runtime.h"

enum { INTAKE_BATCH = 64, INTAKE_MAX = 512, INTAKE_SOLITARY = 128 };

/* A ticket that could be read, and where it came from. */
struct intake_item {
    struct delivery delivery;
    char job[27]; /* a ULID */
    size_t task;
};

/* Tickets taken from the broker and not decided yet. The consumer's thread only. */
struct intake {
    struct runtime *runtime;
    struct intake_item pending[INTAKE_MAX];
    size_t len;
    size_t unsure; /* so many of them may have been claimed: the store's answer was lost */
    struct intake_item solitary[INTAKE_SOLITARY]; /* of tasks that run beside nobody: they wait until nothing runs */
    size_t solitaries;
    int64_t solitary_until_mono; /* so long others wait for them */
    bool alone;                  /* such a task is running */
};

/* Takes in what the broker delivered, while len < INTAKE_MAX; what cannot be read goes to the dead-letter queue. */
void intake_add(struct intake *intake, const struct delivery *delivery);
/* How many more runs may begin now. */
size_t intake_room(struct intake *intake);
/* Claims what there is room for; -1 when the store does not answer: nothing is lost, call again later. */
int intake_claim(struct intake *intake, struct err *err);

/* Gives back what waits; after the cancel, or it would come again. */
void intake_hand_back(struct intake *intake);

#endif
