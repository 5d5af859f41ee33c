/* POST /api/v1/debug/hello. */
#include "common/doc_bson.h"
#include "gateway/handlers.h"
#include "gateway/submit.h"
#include "proto/hello.h"

API_PLAN(api_hello)
{
    (void)api;
    (void)scene;
    struct raw params = doc_bson_pack(&hello_params_doc, in, &request->arena);
    if (submit_recipe(request, job, "hello", &params, err))
        return -1;
    job->tasks.at[0].params = params;
    return 0;
}
