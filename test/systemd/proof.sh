#!/bin/bash
# What test/systemd/manager.faults.test.ts does inside the manager: prints facts, one `name: value` a line. APP is the package.
set -u
# shellcheck disable=SC2153
app=$APP
config=$HOME/.config/run-record-archiver
units=$HOME/.config/systemd/user
daemon=run-record-archiver-daemon.service
pass=run-record-archiver.service

say() { echo "$1: $2"; }
ctl() { systemctl --user "$@"; }
value() { ctl show "$1" -p "$2" --value; }

# Waits until a command succeeds, half a minute at most.
until_true() {
    for _ in $(seq 120); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.25
    done
    return 1
}

record() { # run, age in seconds
    mkdir "$HOME/rr/$1"
    printf 'Config name: demo\n\nDAQInterface start time: a\n\nDAQInterface stop time: b\n' >"$HOME/rr/$1/metadata.txt"
    echo 'a: 1' >"$HOME/rr/$1/comp01.fcl"
    chmod 444 "$HOME/rr/$1"/*
    touch -d "$2 seconds ago" "$HOME/rr/$1"/* "$HOME/rr/$1"
    chmod 555 "$HOME/rr/$1"
}

is_archived() { [ -f "$HOME/state/run_record_archiver/archive/run_records/configuration/0-999/$1.txt" ]; }

drop_in() { # unit; the text comes on standard input
    mkdir -p "$units/$1.d"
    cat >"$units/$1.d/test.conf"
    ctl daemon-reload
}

mkdir -p "$HOME/rr" "$HOME/.cache" "$HOME/out"
# The sandbox hides these from the units, so a checkout that lies there is copied to where a package would be.
case $app in
    /tmp/* | /var/tmp/* | /home/* | /root/* | /run/user/*)
        mkdir "$HOME/app"
        cp -a "$app"/{dist,scripts,systemd,docs,node_modules,package.json,config.example.yaml} "$HOME/app/"
        app=$HOME/app
        ;;
esac
export XDG_STATE_HOME=$HOME/state XDG_DATA_HOME=$HOME/share
"$app/scripts/install.sh" --user --daemon >/dev/null
DESTDIR=$HOME/root "$app/scripts/install.sh" >/dev/null
sed -i -e "s#.{RUN_RECORDS_DIR:-/daq/run_records}#$HOME/rr#" -e 's/#settle_seconds: 30 /settle_seconds: 1 /' "$config/config.yaml"
printf 'daemon: {scan_seconds: 5}\n' >>"$config/config.yaml"
echo canary >"$config/credentials/ucon_db.writer_password"
chmod 600 "$config/credentials/ucon_db.writer_password"

{
    echo '[Service]'
    sed -n '/^# --- Sandbox/,/^TasksMax=/p' "$HOME/root/etc/systemd/system/$pass" |
        sed -e "s#^ReadOnlyPaths=.*#ReadOnlyPaths=$HOME/rr#" -e "s#^ReadWritePaths=.*#ReadWritePaths=$HOME/state $HOME/.cache $HOME/out#" \
            -e "s#^NoExecPaths=.*#NoExecPaths=/ $HOME/state $HOME/.cache $HOME/out#"
    # What ProtectKernel*= mounts over parts of /proc a user's manager may not mount everywhere; so it gets a /proc without them.
    echo ProcSubset=pid
} >"$HOME/sandbox"

# Somebody who is told: each message a line.
node -e 'require("http").createServer((request, response) => {
    let body = ""
    request.on("data", (part) => (body += part)).on("end", () => {
        require("fs").appendFileSync(process.argv[1], body + "\n")
        response.end()
    })
}).listen(0, "127.0.0.1", function () { require("fs").writeFileSync(process.argv[2], String(this.address().port)) })' "$HOME/out/told" "$HOME/out/port" &
listener=$!
trap 'kill $listener' EXIT
until_true test -s "$HOME/out/port"
printf 'reporting: {webhook: {enabled: true, url: "http://127.0.0.1:%s/"}}\n' "$(cat "$HOME/out/port")" >>"$config/config.yaml"

# The daemon, sandboxed as well: up, at work, read again, killed by the watchdog, stopped.
{
    cat "$HOME/sandbox"
    printf 'WatchdogSec=4\nRestartSec=1\nStandardError=append:%s/daemon.log\n' "$HOME"
} | drop_in $daemon
ctl start $daemon
say 'daemon up' "$(value $daemon ActiveState)"
record 101 0
until_true is_archived 101
say 'daemon archives' "$(is_archived 101 && echo yes)"
until_true sh -c "systemctl --user show $daemon -p StatusText --value | grep -q 'archived 1,'"
say 'daemon status' "$(value $daemon StatusText)"
sleep 5
say 'idle daemon lives' "$(value $daemon NRestarts)"
ctl reload $daemon
until_true grep -q 'was read again' "$HOME/daemon.log"
say 'reloaded daemon' "$(value $daemon ActiveState)"
first=$(value $daemon MainPID)
# 0 would be this very group of processes.
[ "$first" -gt 1 ] && kill -STOP "$first"
until_true sh -c "[ \$(systemctl --user show $daemon -p NRestarts --value) = 1 ]"
until_true sh -c "[ \$(systemctl --user show $daemon -p ActiveState --value) = active ]"
say 'daemon that hung' "$(value $daemon ActiveState) after $(value $daemon NRestarts) restart"
ctl stop $daemon
say 'stopped daemon' "$(value $daemon ActiveState) $(value $daemon Result)"
echo 'app: {nonsense: 1}' >"$config/wrong.yaml"
drop_in $daemon <<END
[Service]
ExecStart=
ExecStart=$(command -v node) $app/dist/main.js daemon --config $config/wrong.yaml
END
ctl start $daemon 2>/dev/null
until_true sh -c "[ \$(systemctl --user show $daemon -p ActiveState --value) = failed ]"
say 'wrong configuration' "$(value $daemon ExecMainStatus) after $(value $daemon NRestarts) restarts"

# The pass by the timer, in the whole sandbox of the system unit, which is tried out first.
{
    cat "$HOME/sandbox"
    echo "ExecStartPre=/bin/sh -c 'grep -E NoNewPrivs.*1 /proc/self/status && grep -E Seccomp:.*2 /proc/self/status && ! touch $HOME/rr/x && ! touch $HOME/x && cp /bin/true $HOME/out/run && ! $HOME/out/run && touch $HOME/out/sandboxed'"
} | drop_in $pass
drop_in run-record-archiver.timer <<END
[Timer]
OnCalendar=
OnActiveSec=1
RandomizedDelaySec=0
AccuracySec=100ms
END
record 102 60
ctl start run-record-archiver.timer
until_true is_archived 102
until_true sh -c "[ \$(systemctl --user show $pass -p ActiveState --value) = inactive ]"
ctl stop run-record-archiver.timer
say 'sandbox holds' "$([ -f "$HOME/out/sandboxed" ] && echo yes)"
say 'pass by the timer' "$(is_archived 102 && echo archived) $(value $pass Result)"

# While the nightly retry runs, a pass is held back and fails nobody; it begins when the retry ends.
retry=run-record-archiver-retry.service
drop_in $retry <<END
[Service]
ExecStart=
ExecStart=/bin/sh -c 'until [ -f $HOME/out/go ]; do sleep 0.1; done'
END
ctl start --no-block $retry
until_true sh -c "[ \$(systemctl --user show $retry -p ActiveState --value) = activating ]"
record 103 60
ctl start --no-block $pass
sleep 2
during="$(value $pass ActiveState) $(is_archived 103 || echo not archived)"
touch "$HOME/out/go"
until_true sh -c "[ \$(systemctl --user show $pass -p ActiveState --value) = activating ]"
until_true sh -c "[ \$(systemctl --user show $pass -p ActiveState --value) = inactive ]"
say 'pass beside the retry' "$during, then $(is_archived 103 && echo archived) $(value $pass Result)"

# People are told: of a unit that failed (the daemon, above), and once a week.
until_true grep -q "ExecMainStatus=78" "$HOME/out/told"
say 'told of the failure' "$(grep "$daemon failed" "$HOME/out/told" | grep -c ExecMainStatus=78)"
drop_in run-record-archiver-report.service <"$HOME/sandbox"
ctl start run-record-archiver-report.service
say 'weekly report' "$(value run-record-archiver-report.service Result), $(grep -o 'weekly report, [a-z ]*' "$HOME/out/told"), $(grep -o 'END OF STATUS REPORT' "$HOME/out/told")"

# Secrets come as credentials.
drop_in $pass <<END
[Service]
ExecStart=
ExecStart=$(command -v node) $app/dist/main.js config check --config $config/config.yaml
StandardOutput=append:$HOME/out/check
END
ctl start $pass
say 'secret' "$(grep -o 'ucon_db.writer_password.*' "$HOME/out/check" | tr -s ' ')"
