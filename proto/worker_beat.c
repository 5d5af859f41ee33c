/* The table of a worker's beat. */
#include "proto/worker_beat.h"

static const struct field fields[] = {
    FIELD(worker_beat, id, .flags = FIELD_ID, .text = "Worker id: host.kind.pid.start."),
    FIELD(worker_beat, host, .text = "Host name."),
    FIELD(worker_beat, kind, .names = kind_names, .text = "Kind of task it does."),
    FIELD(worker_beat, pid, .text = "Process id."),
    FIELD(worker_beat, started_at, .flags = FIELD_TIME, .text = "When it started."),
    FIELD(worker_beat, beat_at, .flags = FIELD_TIME, .text = "When it said so."),
    FIELD(worker_beat, draining, .flags = FIELD_ALWAYS, .text = "It takes no more tasks."),
    FIELD(worker_beat, paused, .names = error_names,
          .text = "Why it begins no task: disk-full, storage-auth, storage-bucket."),
    FIELD(worker_beat, slots, .flags = FIELD_ALWAYS, .text = "Tasks it can run at once."),
    FIELD(worker_beat, busy, .flags = FIELD_ALWAYS, .text = "Tasks it runs."),
    FIELD(worker_beat, unacked, .flags = FIELD_ALWAYS, .text = "Tickets it has taken and not acknowledged."),
    FIELD(worker_beat, active, .text = "Which, as job/task; 16 at most."),
    FIELD(worker_beat, claimed, .flags = FIELD_ALWAYS, .text = "Runs claimed since it started."),
    FIELD(worker_beat, succeeded, .flags = FIELD_ALWAYS, .text = "Runs that succeeded."),
    FIELD(worker_beat, failed, .flags = FIELD_ALWAYS, .text = "Runs that failed for good."),
    FIELD(worker_beat, retried, .flags = FIELD_ALWAYS, .text = "Runs that failed and are tried again."),
    FIELD(worker_beat, released, .flags = FIELD_ALWAYS, .text = "Runs handed back."),
    FIELD(worker_beat, crashes_seen, .flags = FIELD_ALWAYS, .text = "Tasks taken over from dead workers."),
    FIELD(worker_beat, storage_retries, .flags = FIELD_ALWAYS, .text = "Requests sent to the bucket again."),
    FIELD(worker_beat, dropped, .flags = FIELD_ALWAYS, .text = "Tickets out of date or repeated, acknowledged without effect."),
    FIELD(worker_beat, garbage, .flags = FIELD_ALWAYS, .text = "Tickets that could not be read, buried in mediafleet.dead."),
    FIELD(worker_beat, rss_bytes, .text = "Resident memory."),
    FIELD(worker_beat, cpu_ms, .text = "CPU time."),
    FIELD(worker_beat, store_commands, .text = "Commands sent to the store."),
    FIELD(worker_beat, disk_free_bytes, .text = "Free space of the workspace."),
    FIELD(worker_beat, version, .text = "Program version."),
};
const struct doc worker_beat_doc = DOC(worker_beat, fields);
