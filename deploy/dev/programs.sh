# The fleet's own programs: which there are, what they are told, how they start and stop. A
# program's name is its kind and a number, transcode-2. Sourced by deploy/fleet.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with fleet

build_directory() {
    if [[ -n $build ]]; then
        echo "$build"
    elif [[ $sanitize == yes ]]; then
        echo "$root/build-tests"
    else
        echo "$root/build"
    fi
}

# Builds unless the programs of a given directory are wanted as they are.
make_programs() {
    local options=()
    [[ $sanitize == no ]] || options=(--sanitize)
    [[ -n $build ]] || "$here/build" "${options[@]}" || fail "cannot build"
    bin=$(build_directory)/bin
    [[ -x $bin/mediafleet-gateway ]] || fail "no programs in $bin"
}

# The gateway first, then a kind for each worker program that was built.
program_kinds() {
    local file kinds=gateway
    for file in "$bin"/mediafleet-*; do
        [[ $file == *-gateway ]] || kinds+=" ${file##*/mediafleet-}"
    done
    echo "$kinds"
}

program_names() { # KIND COUNT
    local number
    for ((number = 1; number <= $2; number++)); do
        echo "$1-$number"
    done
}

# Everything that was started and not yet stopped, alive or dead.
recorded_programs() {
    local file
    for file in "$state"/run/*.pid; do
        [[ ! -f $file ]] || basename "$file" .pid
    done
}

running_programs() {
    local name
    for name in $(recorded_programs); do
        ! is_running "$name" || echo "$name"
    done
}

gateway_port() { echo $((port_base + $1 - 1)); } # NUMBER
gateway_url() { echo "http://127.0.0.1:$(gateway_port "$1")"; }

source_ports() {
    seq -s, $((port_base + gateways_max)) $((port_base + 9))
}

key_row() { # NAME TENANT ROLE KEY
    echo "$1:$2:$3:$(printf %s "$4" | sha256sum | cut -d' ' -f1)"
}

# Fills `environment`: all that a program is told. Nothing of the caller's own environment gets in,
# so that an instance behaves the same whoever starts it.
programs_environment() {
    local name
    eval "$(services env)"
    environment=(
        "PATH=$PATH" "HOME=$HOME" "TMPDIR=${TMPDIR:-/tmp}" "LANG=C.UTF-8"
        "FLEET_STATE=$state" # how what is left of a program is found after its death
        "AMQP_URL=$AMQP_URL" "MONGODB_URL=$MONGODB_URL"
        "MEDIAFLEET_WORKSPACE=$state/workspace"
        "MEDIAFLEET_PUBLIC_URL=$(gateway_url 1)"
        "MEDIAFLEET_URL_SECRET=$url_secret" "MEDIAFLEET_JWT_SECRET=$jwt_secret"
        "MEDIAFLEET_API_KEYS=$(key_row operator main operator "$operator_key"),$(
            key_row admin main admin "$admin_key"),$(key_row viewer main viewer "$viewer_key"),$(
            key_row other other operator "$other_key")"
        # Tests and the demo serve sources themselves; production allows no private address.
        "MEDIAFLEET_ALLOWED_CIDRS=127.0.0.0/8"
        "ASAN_OPTIONS=log_path=$state/log/sanitizer:log_exe_name=1:detect_stack_use_after_return=1"
        "UBSAN_OPTIONS=log_path=$state/log/sanitizer:log_exe_name=1:print_stacktrace=1"
        "LSAN_OPTIONS=suppressions=$root/tests/lsan.supp:print_suppressions=0"
    )
    if [[ $s3 == yes ]]; then
        environment+=(
            MEDIA_STORAGE_BACKEND=s3 "AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL"
            "AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY"
            "AWS_STORAGE_BUCKET_NAME=$AWS_STORAGE_BUCKET_NAME" "AWS_DEFAULT_REGION=$AWS_DEFAULT_REGION"
        )
    else
        environment+=(MEDIA_STORAGE_BACKEND=local "MEDIA_ROOT=$state/media")
    fi
    for name in "${!settings[@]}"; do
        environment+=("$name=${settings[$name]}") # of two with the same name, the last one counts
    done
}

program_start() { # NAME
    local name=$1 listen=()
    ! is_running "$name" || return 0
    [[ $name != gateway-* ]] || listen=("MEDIAFLEET_LISTEN=127.0.0.1:$(gateway_port "${name##*-}")")
    spawn "$name" env -i "${environment[@]}" "${listen[@]}" "$bin/mediafleet-${name%-*}"
}

# Gateways are ready when they say so, workers when they are alive a moment later: their tasks wait
# for them anyway.
programs_ready() { # NAME...
    local name
    for name in "$@"; do
        if [[ $name == gateway-* ]]; then
            wait_until "$ready_s" ready_or_dead "$name" || true
        fi
    done
    sleep 0.2
    for name in "$@"; do
        if ! is_running "$name" || { [[ $name == gateway-* ]] && ! gateway_is_ready "$name"; }; then
            warn "$name does not start:"
            tail -n 20 "$state/log/$name.log" >&2
            return 1
        fi
    done
}

ready_or_dead() { gateway_is_ready "$1" || ! is_running "$1"; }

gateway_is_ready() { # NAME
    curl --noproxy '*' -sf -m 2 -o /dev/null "$(gateway_url "${1##*-}")/readyz"
}

drain_s() { echo "${settings[MEDIAFLEET_DRAIN_S]:-25}"; } # the programs' own default

# All at once; each may take its time to drain.
programs_stop() { # DRAIN_SECONDS NAME...
    local name end=$((SECONDS + $1 + 10))
    shift
    for name in "$@"; do
        terminate "$name"
    done
    for name in "$@"; do
        await_end "$name" $((end > SECONDS ? end - SECONDS : 1)) || true
    done
    [[ -n $(running_programs) ]] || kill_leftovers
}

# What outlived the program that started it, children of a worker that was killed.
kill_leftovers() {
    local file
    for file in $(grep -lsxzF "FLEET_STATE=$state" /proc/[0-9]*/environ || true); do
        file=${file%/environ}
        kill -KILL "${file##*/}" 2>/dev/null || true
    done
}
