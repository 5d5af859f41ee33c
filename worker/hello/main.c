/* mediafleet-hello: the debug worker, and the probe of the fault tests. */
#include "worker/hello/hello.h"

int main(int argc, char **argv)
{
    static const struct worker worker = {.kind = KIND_HELLO, .handle = hello};
    return worker_main(&worker, argc, argv);
}
