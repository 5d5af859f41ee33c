# Starting and stopping processes that are remembered by pid and start time, so that a pid which
# meanwhile belongs to somebody else is never signalled. Needs $state. Sourced by services.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with services

# Prints when a process started, in clock ticks since boot; fails if there is none or only a
# zombie that nobody has collected yet.
start_time() { # PID
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return
    read -ra fields <<<"${stat##*) }" # what follows the command's name, which may hold spaces
    [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# Prints the pid of a recorded process that is still alive.
pid_of() { # NAME
    local pid started
    read -r pid started 2>/dev/null <"$state/run/$1.pid" || return
    [[ $(start_time "$pid") == "$started" ]] && echo "$pid"
}

is_running() { pid_of "$1" >/dev/null; }

# Starts a command in a session of its own, without our terminal, lock or standard streams: who
# runs `services up` in a pipe must not wait for the services to end.
spawn() { # NAME COMMAND...
    local name=$1
    shift
    setsid "$@" </dev/null >"$state/log/$name.log" 2>&1 9>&- &
    echo "$! $(start_time "$!")" >"$state/run/$name.pid"
}

stop_signal=TERM

terminate() { # NAME
    local pid
    pid=$(pid_of "$1") && kill -"$stop_signal" "$pid" 2>/dev/null
    return 0
}

# Waits for the end of a process that was asked to end; kills it after SECONDS, or complains if
# SECONDS is "never-kill N".
await_end() { # NAME SECONDS | NAME never-kill SECONDS
    local name=$1 kill=yes pid
    [[ $2 == never-kill ]] && kill=no && shift
    if ! wait_until "$2" has_ended "$name"; then
        [[ $kill == yes ]] || { warn "$name does not end; left running"; return 1; }
        pid=$(pid_of "$name") && kill -KILL "$pid" 2>/dev/null
        wait_until 5 has_ended "$name"
    fi
    rm -f "$state/run/$name.pid"
}

has_ended() { ! is_running "$1"; }

wait_until() { # SECONDS COMMAND...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}
