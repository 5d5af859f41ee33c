# The MongoDB-protocol server of store/Store.java. Sourced by services.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with services

store_start() {
    mkdir -p "$state/store"
    # The serial collector for its memory: 371 against 630 MB resident. The parallel one was faster in
    # the last warm round of three writers, 1.18 s against 2.09 s.
    # shellcheck disable=SC2086 # more options: of two the last one counts
    spawn store java -Xms64m -Xmx1g -Xmn192m -XX:+UseSerialGC -XX:-UsePerfData ${MEDIAFLEET_STORE_JAVA:-} \
        -cp "$store/classes:$store/jars/*" Store 127.0.0.1 "$store_port" "$store_backend" "$state/store"
}

store_ready() { accepts "$store_port"; }

# A killed h2 backend loses its last second of writes, or more: it is given time, never killed.
store_stop() {
    terminate store
    if [[ $store_backend == h2 ]]; then
        await_end store never-kill 60
    else
        await_end store 10
    fi
}

store_env() {
    echo "export MONGODB_URL='mongodb://127.0.0.1:$store_port/mediafleet?retryWrites=false'"
}
