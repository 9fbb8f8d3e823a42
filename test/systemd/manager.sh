#!/bin/bash
# Runs a script under a real `systemd --user` of its own, on a machine whose PID 1 need not be systemd: in a private mount
# namespace with an own /run and an own cgroup. Usage: manager.sh FOLDER SCRIPT. HOME and the manager's log are in FOLDER.
# Ends with the script's exit code; 77 says that no such manager can be started here.
set -u
folder=$1
script=$2

if [ "${3:-}" != inside ]; then
    [ "$(id -u)" = 0 ] && [ -x /lib/systemd/systemd ] || exit 77
    for tree in systemd unified .; do
        group=/sys/fs/cgroup/$tree/run-archiver-test
        if mkdir -p "$group" 2>/dev/null; then echo $$ >"$group/cgroup.procs" 2>/dev/null; fi
    done
    # Credentials are mounted by a child of the manager, so mounts must be shared inside.
    # shellcheck disable=SC2016
    exec unshare --mount --propagation private bash -c \
        'mount --make-rshared / && mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec bash "$0" "$1" "$2" inside' \
        "$0" "$folder" "$script" || exit 77
fi

export HOME=$folder XDG_RUNTIME_DIR=/run/user-manager XDG_CONFIG_HOME=$folder/.config
export SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=info
mkdir -m 700 "$XDG_RUNTIME_DIR"
timeout -s TERM 300 /lib/systemd/systemd --user --unit=basic.target >"$folder/manager.log" 2>&1 &
manager=$!
for _ in $(seq 60); do
    systemctl --user is-system-running 2>/dev/null | grep -qE 'running|degraded' && ready=yes && break
    sleep 0.25
done
[ "${ready:-}" = yes ] || exit 77
bash "$script"
code=$?
kill -TERM "$manager"
wait "$manager"
exit "$code"
