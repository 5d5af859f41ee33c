# RabbitMQ from Debian's package, as a process of our own beside or without the system's service:
# own node name, ports, directories, cookie and port mapper (epmd). Sourced by services.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are shared with services

rabbitmq_bin=/usr/lib/rabbitmq/bin # the scripts in /usr/sbin change to the user rabbitmq
# Loopback only, also between nodes; the port mapper is ours to start; schedulers without work sleep
# at once instead of spinning (RabbitMQ documentation, "Runtime Tuning"): several instances share
# few cores.
rabbitmq_erlang_options='-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false'
rabbitmq_erlang_options+=' +sbwt none +sbwtdcpu none +sbwtdio none'

rabbitmq_start() {
    rabbitmq_configure
    is_running epmd || spawn epmd epmd -port "$epmd_port" -address 127.0.0.1
    (
        rabbitmq_environment
        export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=$rabbitmq_erlang_options
        # The script becomes the server instead of watching it, so that the pid which we remember
        # is the server's.
        export RUNNING_UNDER_SYSTEMD=true
        cd "$state/rabbitmq" # where it leaves what it has to say of a bad end
        spawn rabbitmq "$rabbitmq_bin/rabbitmq-server"
    )
}

rabbitmq_ready() {
    curl --noproxy '*' -sf -m 2 -o /dev/null "$(rabbitmq_management_url)/api/overview" && accepts "$amqp_port"
}

rabbitmq_stop() {
    terminate rabbitmq
    await_end rabbitmq 20
    terminate epmd
    await_end epmd 5
}

rabbitmq_env() {
    echo "export AMQP_URL=amqp://guest:guest@127.0.0.1:$amqp_port/%2f"
    echo "export MEDIAFLEET_MANAGEMENT_URL=$(rabbitmq_management_url)"
}

rabbitmq_management_url() { echo "http://guest:guest@127.0.0.1:$management_port"; }

rabbitmq_configure() {
    mkdir -p "$state/rabbitmq/log"
    echo '[rabbitmq_management].' >"$state/rabbitmq/plugins"
    # disk_free_limit, watermark: development machines are small and full, and an alarm would
    # stop every publisher without a word.
    cat "$here/../rabbitmq.conf" - >"$state/rabbitmq/rabbitmq.conf" <<END
listeners.tcp.1 = 127.0.0.1:$amqp_port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
vm_memory_high_watermark.relative = 0.6
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 1
END
}

# What server and rabbitmqctl must agree on. Everything that could reach into the system's
# installation (/etc/rabbitmq, /var/lib/rabbitmq, the cookie in the home directory) is replaced.
rabbitmq_environment() {
    local directory=$state/rabbitmq
    export HOME=$directory
    export ERL_EPMD_PORT=$epmd_port ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_NODENAME=mediafleet@localhost
    export RABBITMQ_NODE_PORT=$amqp_port RABBITMQ_DIST_PORT=$dist_port
    export RABBITMQ_MNESIA_BASE=$directory/mnesia RABBITMQ_LOG_BASE=$directory/log
    export RABBITMQ_CONFIG_FILE=$directory/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$directory/advanced.config
    export RABBITMQ_GENERATED_CONFIG_DIR=$directory/generated RABBITMQ_CONF_ENV_FILE=/dev/null
    export RABBITMQ_ENABLED_PLUGINS_FILE=$directory/plugins
}

rabbitmq_ctl() { # ARGUMENT...
    rabbitmq_environment
    RABBITMQ_CTL_ERL_ARGS=$rabbitmq_erlang_options "$rabbitmq_bin/rabbitmqctl" "$@"
}
