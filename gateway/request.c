/* What was asked, and where a name stands in it. */
#include "gateway/request.h"

#include <string.h>

#include "gateway/query.h"

void request_reset(struct request *request)
{
    struct arena arena = request->arena;
    arena_reset(&arena);
    *request = (struct request){.arena = arena, .reply.fd = -1};
}

const char *request_capture(struct request *request, const char *name)
{
    for (size_t i = 0; i < request->captures_len; i++) {
        const struct capture *capture = &request->captures[i];
        if (strlen(name) == capture->name_len &&
            memcmp(name, capture->name, capture->name_len) == 0)
            return query_unescape(&request->arena, capture->at, capture->len, false);
    }
    return NULL;
}
