/* A line of the audit is a record like others. */
#include "common/audit.h"

#include "common/clock.h"
#include "common/id.h"

int audit_add(struct store *store, const struct audit *line, struct err *err)
{
    char id[ID_ULID_LEN + 1];
    struct audit whole = *line;
    if (!whole.at)
        whole.at = clock_now_ms();
    if (!whole.id) {
        id_ulid(whole.at, id);
        whole.id = id;
    }
    int there = store_insert(store, AUDIT_COLLECTION, &audit_doc, &whole, err);
    return there < 0 ? err_prefix(err, "audit") : 0;
}
