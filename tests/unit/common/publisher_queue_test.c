/* The rings: order, wrap-around, and confirms single, multiple, unknown, twice and out of order. */
#include "common/publisher_queue.h"

#include "check.h"

static struct window window;

static struct outgoing task(int64_t number)
{
    return (struct outgoing){.task = number, .deadline_ms = number};
}

static void queue_keeps_order_around_its_end(void)
{
    struct publisher_queue queue;
    struct outgoing out;
    publisher_queue_init(&queue, 4);
    for (int64_t round = 0; round < 10; round++) {
        for (int64_t i = 0; i < 3; i++) {
            struct outgoing outgoing = task(round * 3 + i);
            publisher_queue_push(&queue, &outgoing);
        }
        for (int64_t i = 0; i < 3; i++) {
            CHECK_INT(publisher_queue_peek(&queue)->task, round * 3 + i);
            CHECK(publisher_queue_pop(&queue, &out));
            CHECK_INT(out.task, round * 3 + i);
        }
        CHECK(!publisher_queue_pop(&queue, &out));
        CHECK(!publisher_queue_peek(&queue));
    }
    publisher_queue_release(&queue);
}

static void fill(int64_t count)
{
    window_reset(&window);
    for (int64_t i = 1; i <= count; i++) {
        struct outgoing outgoing = task(i);
        CHECK_INT(window_add(&window, &outgoing), i);
    }
}

static void single_confirms_in_any_order(void)
{
    struct outgoing out;
    fill(3);
    CHECK(window_settle(&window, 2, false, &out));
    CHECK_INT(out.task, 2);
    CHECK(!window_settle(&window, 2, false, &out));
    CHECK_INT(window.first, 1);
    CHECK(window_settle(&window, 1, false, &out));
    CHECK_INT(window.first, 3);
    CHECK(!window_settle(&window, 1, false, &out));
    CHECK(window_settle(&window, 3, false, &out));
    CHECK(window_is_empty(&window));
}

static void multiple_confirms_take_all_up_to_the_tag(void)
{
    struct outgoing out;
    fill(5);
    CHECK(window_settle(&window, 2, false, &out));
    const int64_t should[] = {1, 3, 4};
    for (size_t i = 0; i < 3; i++) {
        CHECK(window_settle(&window, 4, true, &out));
        CHECK_INT(out.task, should[i]);
    }
    CHECK(!window_settle(&window, 4, true, &out));
    CHECK(window_find(&window, 5));
    CHECK(!window_find(&window, 4));
}

static void unknown_tags_take_nothing(void)
{
    struct outgoing out;
    fill(2);
    CHECK(!window_settle(&window, 0, false, &out));
    CHECK(!window_settle(&window, 3, false, &out));
    CHECK(!window_settle(&window, UINT64_MAX, false, &out));
    CHECK(!window_settle(&window, 0, true, &out));
    CHECK(window_settle(&window, UINT64_MAX, true, &out));
    CHECK(window_settle(&window, UINT64_MAX, true, &out));
    CHECK(!window_settle(&window, UINT64_MAX, true, &out));
}

static void room_ends_and_comes_back(void)
{
    struct outgoing out, outgoing = task(0);
    fill(WINDOW_MAX);
    CHECK(!window_has_room(&window));
    for (uint64_t tag = 1; tag <= 10 * WINDOW_ROOM; tag++) {
        CHECK(window_settle(&window, tag, false, &out));
        CHECK(window_has_room(&window));
        CHECK_INT(window_add(&window, &outgoing), tag + WINDOW_MAX);
    }
}

static void expires_what_is_late_only(void)
{
    struct outgoing out;
    fill(4);
    window_find(&window, 1)->deadline_ms = 100;
    CHECK(window_expire(&window, 3, &out));
    CHECK_INT(out.task, 2);
    CHECK(window_expire(&window, 3, &out));
    CHECK_INT(out.task, 3);
    CHECK(!window_expire(&window, 3, &out));
    CHECK(window_find(&window, 1) && window_find(&window, 4));
}

static void counts_tickets_of_a_kind(void)
{
    const struct dead_letter *letter = (const struct dead_letter *)&window;
    struct outgoing out, hello = {.kind = KIND_HELLO}, upload = {.kind = KIND_UPLOAD};
    const struct outgoing buried = {.kind = KIND_HELLO, .letter = letter};
    struct publisher_queue queue;
    publisher_queue_init(&queue, 4);
    window_reset(&window);
    for (int i = 0; i < 3; i++) {
        publisher_queue_push(&queue, &upload);
        CHECK(publisher_queue_pop(&queue, &out));
        window_add(&window, i == 1 ? &upload : &hello);
    }
    publisher_queue_push(&queue, &hello);
    publisher_queue_push(&queue, &buried);
    publisher_queue_push(&queue, &hello);
    CHECK(window_settle(&window, 1, false, &out));
    window_add(&window, &buried);
    CHECK_INT(publisher_queue_count(&queue, KIND_HELLO), 2);
    CHECK_INT(publisher_queue_count(&queue, KIND_UPLOAD), 0);
    CHECK_INT(window_count(&window, KIND_HELLO), 1);
    CHECK_INT(window_count(&window, KIND_UPLOAD), 1);
    publisher_queue_release(&queue);
}

int main(void)
{
    RUN(counts_tickets_of_a_kind);
    RUN(queue_keeps_order_around_its_end);
    RUN(single_confirms_in_any_order);
    RUN(multiple_confirms_take_all_up_to_the_tag);
    RUN(unknown_tags_take_nothing);
    RUN(room_ends_and_comes_back);
    RUN(expires_what_is_late_only);
    return 0;
}
