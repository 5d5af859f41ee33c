/* The topology declares every kind's queue, and nothing before what it needs. */
#include "proto/topology.h"

#include "check.h"

static bool declared_before(size_t end, enum topology_item_type type, const char *name)
{
    for (size_t i = 0; i < end; i++)
        if (topology[i].type == type && strcmp(topology[i].name, name) == 0)
            return true;
    return false;
}

static size_t bindings_of(const char *queue, const char *exchange)
{
    size_t count = 0;
    for (size_t i = 0; i < topology_len; i++)
        count += topology[i].type == TOPOLOGY_IS_BINDING && strcmp(topology[i].name, queue) == 0 &&
                 strcmp(topology[i].exchange, exchange) == 0;
    return count;
}

static void every_kind_has_a_bound_queue(void)
{
    for (int k = KIND_NONE + 1; k < KIND_COUNT; k++) {
        CHECK(declared_before(topology_len, TOPOLOGY_IS_QUEUE, kinds[k].queue));
        CHECK_INT(bindings_of(kinds[k].queue, TOPOLOGY_EXCHANGE), 1);
    }
    CHECK_INT(bindings_of(TOPOLOGY_DEAD_QUEUE, TOPOLOGY_DEAD_EXCHANGE), 1);
}

static void items_come_after_what_they_need(void)
{
    for (size_t i = 0; i < topology_len; i++) {
        const struct topology_item *item = &topology[i];
        if (item->type == TOPOLOGY_IS_EXCHANGE)
            CHECK(item->kind);
        if (item->type == TOPOLOGY_IS_BINDING) {
            CHECK(declared_before(i, TOPOLOGY_IS_QUEUE, item->name));
            CHECK(declared_before(i, TOPOLOGY_IS_EXCHANGE, item->exchange));
        }
        if (item->dead_letter_exchange)
            CHECK(declared_before(i, TOPOLOGY_IS_EXCHANGE, item->dead_letter_exchange));
    }
}

static void dead_letters_do_not_go_in_circles(void)
{
    for (size_t i = 0; i < topology_len; i++)
        if (topology[i].type == TOPOLOGY_IS_QUEUE)
            CHECK((topology[i].dead_letter_exchange == NULL) ==
                  (strcmp(topology[i].name, TOPOLOGY_DEAD_QUEUE) == 0));
}

int main(void)
{
    RUN(every_kind_has_a_bound_queue);
    RUN(items_come_after_what_they_need);
    RUN(dead_letters_do_not_go_in_circles);
    return 0;
}
