# One Sluice with its private PostgreSQL and the simulated providers, in one directory. Sourced by run
# and by the tests' runner; needs common.sh and $root.

stack_pids=()
stack_postgres=

stack_node_program=$root/simulators/node_modules/.bin/node
stack_node() { "$stack_node_program" "$@"; }

stack_wait_for() { # FILE SECONDS WHAT PID: until the file is there, or the process is gone
    local deadline=$((SECONDS + $2))
    until [ -s "$1" ]; do
        kill -0 "$4" 2> /dev/null || { tail -20 "$stack_dir/$3.log" >&2; die "$3 ended before it was ready"; }
        [ $SECONDS -lt $deadline ] || { tail -20 "$stack_dir/$3.log" >&2; die "$3 was not ready within $2 s"; }
        sleep 0.1
    done
}

stack_secret() { # FILE: 32 random bytes as hex, once
    [ -s "$1" ] || (umask 077 && openssl rand -hex 32 > "$1")
}

stack_free_port() {
    stack_node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

stack_config() { # PORT
    local sim=$stack_dir/simulators/simulators.json
    stack_node "$root/deploy/local/configure.mjs" --dir "$stack_dir" --simulators "$sim" --port "$1" \
        --postgres "$stack_dir/postgres/env" --root "$root"
}

# stack_start DIR PROGRAM PORT (0: a free one)
stack_start() {
    stack_dir=$1
    local program=$2 port=$3
    say "Starting PostgreSQL"
    deploy/local/postgres start "$stack_dir/postgres" ${stack_postgres_options:-} >&2
    stack_postgres=$stack_dir/postgres
    mkdir -p "$stack_dir/keys" "$stack_dir/simulators"
    chmod 700 "$stack_dir/keys"
    stack_secret "$stack_dir/keys/region"
    stack_secret "$stack_dir/keys/token"
    stack_secret "$stack_dir/keys/operator-password"

    say "Starting the simulated Stripe and Qonto"
    rm -f "$stack_dir/simulators/simulators.json"
    "$stack_node_program" simulators/main.mjs --dir "$stack_dir/simulators" ${stack_simulator_options:-} \
        > "$stack_dir/simulators.log" 2>&1 &
    stack_pids+=($!)
    stack_wait_for "$stack_dir/simulators/simulators.json" 30 simulators $!

    [ "$port" != 0 ] || port=$(stack_free_port)
    stack_config "$port"
    say "Migrating the database"
    "$program" migrate --config "$stack_dir/sluice.yaml" >&2
    "$program" operator create --config "$stack_dir/sluice.yaml" --email operator@example.com \
        --name Operator --password-file "$stack_dir/keys/operator-password" --if-absent >&2

    say "Starting sluice up"
    rm -f "$stack_dir/ready"
    "$program" up --config "$stack_dir/sluice.yaml" --ready-file "$stack_dir/ready" \
        > "$stack_dir/sluice.log" 2>&1 &
    stack_pids+=($!)
    stack_sluice=$!
    stack_wait_for "$stack_dir/ready" 30 sluice $!
    note "listening at $(cat "$stack_dir/ready"); log in ${stack_dir#"$root"/}/sluice.log"
}

demo_walk() { # DIR arguments...
    local dir=$1
    shift
    NODE_EXTRA_CA_CERTS="$(stack_ca)" stack_node "$root/deploy/local/demo/walk.mjs" --dir "$dir" "$@"
}

stack_ca() {
    stack_node -e 'process.stdout.write(JSON.parse(require("fs").readFileSync(process.argv[1])).ca_file)' \
        "$stack_dir/simulators/simulators.json"
}

stack_wait() {
    while kill -0 "$stack_sluice" 2> /dev/null; do
        wait -n 2> /dev/null || true
    done
    tail -5 "$stack_dir/sluice.log" >&2
    die "sluice ended by itself; its log is $stack_dir/sluice.log"
}

stack_stop() {
    trap - INT TERM
    local pid
    for ((i = ${#stack_pids[@]} - 1; i >= 0; i--)); do
        pid=${stack_pids[i]}
        kill "$pid" 2> /dev/null || true
        for _ in $(seq 100); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2> /dev/null || true
    done
    stack_pids=()
    [ -z "$stack_postgres" ] || deploy/local/postgres stop "$stack_postgres" >&2 || true
    stack_postgres=
}
