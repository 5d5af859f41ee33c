/* POST /api/v1/storage/…: work over the whole bucket, as jobs of the kind storage. */
#include "common/audit.h"
#include "common/bucket_admin.h"
#include "common/doc_bson.h"
#include "gateway/handlers.h"
#include "gateway/submit.h"
#include "proto/storage_job.h"

/* `asked` is what came in, and the job's parameters; `params` what the worker is told. */
static int plan(struct request *request, struct job *job, const char *recipe,
                const struct doc *asked_doc, const void *asked, const struct storage_params *params,
                struct err *err)
{
    struct raw raw = doc_bson_pack(asked_doc, asked, &request->arena);
    if (submit_recipe(request, job, recipe, &raw, err))
        return -1;
    job->tasks.at[0].params = doc_bson_pack(&storage_params_doc, params, &request->arena);
    return 0;
}

API_PLAN(api_storage_reconcile)
{
    (void)api;
    (void)scene;
    const struct storage_reconcile *asked = in;
    const struct storage_params params = {.action = STORAGE_RECONCILE, .reconcile = *asked};
    return plan(request, job, "storage.reconcile", &storage_reconcile_doc, asked, &params, err);
}

API_PLAN(api_storage_migrate)
{
    (void)scene;
    const struct storage_migrate *asked = in;
    const struct storage_params params = {.action = STORAGE_MIGRATE, .migrate = *asked};
    if (asked->from == asked->to)
        return err_set(err, ERR_INVALID_VALUE, "from and to must be two backends");
    /* Readers must find what was migrated. */
    const enum backend both[] = {asked->from, asked->to};
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        struct bucket *bucket = NULL;
        int failed = bucket_open_as(&bucket, api->services->bucket, both[i], err);
        bucket_free(bucket);
        if (failed)
            return -1;
    }
    return plan(request, job, "storage.migrate", &storage_migrate_doc, asked, &params, err);
}

API_PLAN(api_storage_duplicates)
{
    (void)api;
    (void)scene;
    const struct storage_duplicates *asked = in;
    const struct storage_params params = {.action = STORAGE_DUPLICATES, .duplicates = *asked};
    return plan(request, job, "storage.duplicates", &storage_duplicates_doc, asked, &params, err);
}

API_PLAN(api_storage_cleanup)
{
    (void)api;
    (void)scene;
    const struct storage_expire *asked = in;
    const struct storage_params params = {.action = STORAGE_EXPIRE, .expire = *asked};
    return plan(request, job, "storage.expire", &storage_expire_doc, asked, &params, err);
}

API_ANSWER(api_storage_lifecycle)
{
    const struct lifecycle_ask *asked = in;
    struct lifecycle *told = out;
    struct bucket *bucket;
    if (api_bucket(api, &bucket, err) ||
        bucket_lifecycle(bucket, asked->apply, &request->arena, told, err))
        return -1;
    if (!asked->apply)
        return 0;
    const struct audit line = {.tenant = request->who.tenant,
                               .by = request->who.name,
                               .action = "storage.lifecycle",
                               .subject = bucket_name(bucket),
                               .request_id = request->id};
    return audit_add(api->services->store, &line, err);
}
