# Ten ports per instance. They lie below 32768, where the kernel picks the ports of outgoing
# connections. Needs $state. Sourced by services.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with services

reservations=${TMPDIR:-/tmp}/mediafleet-$UID/ports # one file per instance: BASE, holding its state directory

set_ports() { # BASE
    amqp_port=$1
    management_port=$(($1 + 1))
    store_port=$(($1 + 2))
    s3_port=$(($1 + 3))
    epmd_port=$(($1 + 4))
    dist_port=$(($1 + 5))
}

# Prints the ports on which somebody listens, each with a blank on both sides.
listening() {
    local local_address status
    while read -r _ local_address _ status _; do
        [[ $status == 0A ]] && printf ' %d ' "$((16#${local_address##*:}))"
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
}

range_is_free() { # BASE LISTENING
    local port
    for ((port = $1; port < $1 + 10; port++)); do
        [[ $2 != *" $port "* ]] || return 1
    done
}

# An instance that is down keeps its range as long as its directory says so.
reserved_by_other() { # BASE
    local owner
    read -r owner 2>/dev/null <"$reservations/$1" || return
    [[ $owner != "$state" ]] && grep -qsx "port_base=$1" "$owner/instance"
}

reserve() { # BASE
    mkdir -p "$reservations"
    echo "$state" >"$reservations/$1"
    echo "port_base=$1" >>"$state/instance"
}

# Prints the base of a free range and reserves it. The search starts at a place that depends on
# the state directory, so that an instance tends to get the same ports again.
choose_ports() {
    local busy base try seed
    busy=$(listening)
    seed=$((16#$(sha256sum <<<"$state" | cut -c1-6)))
    mkdir -p "$reservations"
    exec 7>"$reservations/lock"
    flock 7
    for ((try = 0; try < 1000; try++)); do
        base=$((20000 + (seed + try) % 1000 * 10))
        range_is_free "$base" "$busy" || continue
        ! reserved_by_other "$base" || continue
        reserve "$base" # before the lock is given back
        echo "$base"
        break
    done
    exec 7>&-
    ((try < 1000))
}
