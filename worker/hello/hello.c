/* Sleeps and greets, or ends in the way it is asked to. */
#include "worker/hello/hello.h"

#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "proto/hello.h"

enum { NAP_MS = 50 };

static int sleep_for(struct run *run, int64_t sleep_ms, struct err *err)
{
    int64_t began = clock_mono_ms();
    for (int64_t passed = 0; passed < sleep_ms; passed = clock_mono_ms() - began) {
        if (run_stopped(run))
            return run_stop_error(run, err);
        run_progress(run, passed * 100 / sleep_ms, "sleeping");
        clock_sleep_ms(sleep_ms - passed < NAP_MS ? sleep_ms - passed : NAP_MS);
    }
    return 0;
}

int hello(struct run *run, const void *in, void *out, struct err *err)
{
    const struct hello_params *params = in;
    struct hello_result *result = out;
    if (sleep_for(run, params->sleep_ms, err))
        return -1;
    if (params->fail == HELLO_TRANSIENT)
        return err_set(err, ERR_DEBUG_TRANSIENT, "asked to fail");
    if (params->fail == HELLO_PERMANENT)
        return err_set(err, ERR_DEBUG_PERMANENT, "asked to fail for good");
    if (params->fail == HELLO_CRASH)
        kill(getpid(), SIGKILL);
    result->greeting = "hello";
    return 0;
}
