"""The breaks: one line of ours each, and the fault tests that must find it."""
import dataclasses


@dataclasses.dataclass
class Break:
    name: str
    what: str  # the promise that is broken
    file: str
    old: str  # exactly once in the file
    new: str
    tests: list


BREAKS = [
    Break("swap-without-rev", "a job is saved over somebody else's change", "common/store_swap.c",
          '    BSON_APPEND_INT64(filter, "rev", batch->swaps[leader].before->rev);\n', "",
          ["faults/test_store.py::test_writers_on_one_job"]),
    Break("ack-at-claim", "the ticket is acknowledged before the run is settled", "worker/intake.c",
          "    run->finish_only = finish_only;\n",
          "    run->finish_only = finish_only;\n    acknowledge(intake, delivery), run->delivery.epoch = 0;\n",
          ["faults/test_acks.py::test_death_between_result_and_ack"]),
    Break("no-ticket-alarm", "nobody looks after a ticket that was lost", "proto/transition_view.c",
          "return task->due_at > now ? task->due_at : now + pause_ms(job);",
          "return task->due_at > now ? task->due_at : now + pause_ms(job) * 1000000;",
          ["faults/test_broker_queues.py::test_queue_purged"]),
    Break("no-pending-row", "objects are stored before their rows", "worker/upload/upload.c",
          "    if (ledger_write(run, bucket, files, len, FILE_PENDING, NULL, err) ||\n        bucket_put(", "    if (bucket_put(",
          ["faults/test_store.py::test_reset_in_an_insert_of_rows"]),
    Break("pulse-without-fence", "a zombie's pulse counts as its owner's", "common/store_pulse.c",
          "    return task->state == TASK_RUNNING && task->run == pulse->run && task->worker &&\n"
          "           strcmp(task->worker, batch->worker) == 0;",
          "    return task->state >= 0 && batch->worker;",
          ["faults/test_death.py::test_optional_task_that_is_not_waited_for"]),
    Break("settle-any-run", "a zombie settles somebody else's run", "proto/transition.c",
          "    if (!task || task->run != run)\n        return false;\n    task->usage",
          "    if (!task || run < 0)\n        return false;\n    task->usage",
          ["faults/test_death.py::test_zombie_beside_its_heir"]),
    Break("crashes-unbounded", "a poisonous task is tried for ever", "proto/transition.c",
          "    if (task->crashes >= JOB_CRASHES_MAX)\n", "    if (task->crashes >= 1000)\n",
          ["faults/test_death.py::test_poison_beside_neighbours"]),
    Break("living-taken-over", "a living worker's task is taken from it", "worker/workspace.c",
          "process_locked(path, &ignored) == 0;\n}\n\n/* Calls", "process_locked(path, &ignored) >= 0;\n}\n\n/* Calls",
          ["faults/test_two_at_once.py::test_two_workers_claim_once"]),
    Break("drain-counts", "a drain counts as a failure", "proto/transition.c",
          "    if (class == CLASS_RELEASED || outcome->release) {\n", "    if (class == CLASS_RELEASED && task->failures < 0) {\n",
          ["faults/test_shutdown.py::test_stop_hands_media_over"]),
    Break("deaf-to-cancel", "a running task does not hear of its cancel", "worker/pulse.c",
          "        if (pulses[i].stop)\n", "        if (pulses[i].stop && !pulses[i].alive)\n",
          ["faults/test_cancel_faults.py::test_cancel_of_a_running_task"]),
    Break("uploads-left-open", "a dead run's multipart upload is left open", "worker/upload/upload.c",
          "    return run_task(run)->run > 1 ? ", "    return run_task(run)->run < 1 ? ",
          ["faults/test_death.py::test_worker_killed_in_a_multipart_upload"]),
    Break("deaf-to-basic-cancel", "a worker whose queue was deleted waits for ever", "common/broker.c",
          "    if (method->id == AMQP_BASIC_CANCEL_METHOD) {\n",
          "    if (method->id == AMQP_BASIC_CANCEL_METHOD && method->id == 0) {\n",
          ["faults/test_broker_queues.py::test_queue_deleted"]),
    Break("claim-forgotten", "a claim whose answer was lost is nobody's", "common/store_claim.c",
          "            read && holds_token(document, claim->task, &batch->tokens[i]) && !is_second(batch, i);\n",
          "            read && !read && holds_token(document, claim->task, &batch->tokens[i]) && !is_second(batch, i);\n",
          ["faults/test_store.py::test_reset_in_a_claim"]),
    Break("error-taken-for-done", "an error within status 200 counts as stored", "common/s3_call.c",
          '    if (ok && !(call->patient && strstr(body, "<Error")))\n', "    if (ok)\n",
          ["faults/test_upload.py::test_error_within_200"]),
]
