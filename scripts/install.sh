#!/bin/sh
# Installs run-archiver as a systemd service: user, folders, configuration, units. Safe to run twice; what is there stays.
#   install.sh [--user] [--daemon] [--dry-run]     the timers, or with --daemon the daemon; workers that are enabled stay
#   install.sh --uninstall [--user] [--dry-run]    takes away what it installed; never state, archive or configuration
# The program itself is this package: unpack it first (npm install -g, or a copy with its node_modules).
set -eu

usage() {
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit "$1"
}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

dry=
mode=install
scope=system
kind=timer
for word in "$@"; do
    case $word in
        --dry-run) dry=yes ;;
        --uninstall) mode=uninstall ;;
        --user) scope=user ;;
        --daemon) kind=daemon ;;
        -h | --help) usage 0 ;;
        *)
            echo "install.sh: unknown option $word" >&2
            usage 64 >&2
            ;;
    esac
done

# The package's folder, links followed.
self=$0
while [ -L "$self" ]; do
    target=$(readlink "$self")
    case $target in
        /*) self=$target ;;
        *) self=$(dirname "$self")/$target ;;
    esac
done
app=$(CDPATH='' cd -- "$(dirname "$self")/.." && pwd -P)
[ -f "$app/dist/main.js" ] || fail "no $app/dist/main.js: run npm run build first"
[ -d "$app/systemd" ] || fail "no $app/systemd"

# DESTDIR, as for make: everything is written below it, for packaging and for trying out.
root=${DESTDIR:-}
node=${NODE:-$(command -v node || true)}
[ -n "$node" ] || fail "node is not in PATH: install Node 20 or later, or set NODE"
if [ "$scope" = user ]; then
    config_dir=${XDG_CONFIG_HOME:-$HOME/.config}/run-record-archiver
    state_dir=${XDG_STATE_HOME:-$HOME/.local/state}/run_record_archiver
    unit_dir=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
    man_dir=${XDG_DATA_HOME:-$HOME/.local/share}/man/man1
    bash_dir=${XDG_DATA_HOME:-$HOME/.local/share}/bash-completion/completions
    fish_dir=${XDG_DATA_HOME:-$HOME/.local/share}/fish/vendor_completions.d
    # zsh looks in no folder of a user's own unless its fpath names one.
    zsh_dir=
else
    config_dir=/etc/run-record-archiver
    state_dir=/var/lib/run_record_archiver
    unit_dir=/etc/systemd/system
    man_dir=/usr/local/share/man/man1
    bash_dir=/usr/share/bash-completion/completions
    fish_dir=/usr/share/fish/vendor_completions.d
    zsh_dir=/usr/local/share/zsh/site-functions
    [ -n "$root" ] || [ -n "$dry" ] || [ "$(id -u)" = 0 ] || fail "needs root; or use --user"
fi
units="run-record-archiver.service run-record-archiver.timer
    run-record-archiver-retry.service run-record-archiver-retry.timer
    run-record-archiver-report.service run-record-archiver-report.timer
    run-record-archiver-daemon.service run-record-archiver-worker@.service run-record-archiver-failure@.service
    run-record-archiver-page.service run-record-archiver-page.socket"

# Says what is done, and does it.
run() {
    echo "+ $*"
    [ -n "$dry" ] || "$@"
}

# Without a running systemd (a container, a chroot) the files are installed all the same.
systemctl_() {
    if [ "$scope" = user ]; then set -- --user "$@"; fi
    if [ -n "$root" ] || ! command -v systemctl >/dev/null 2>&1; then
        echo "  (not done: systemctl $*)"
    else run systemctl "$@" || echo "  (that failed: do it when systemd is running)"; fi
}

# The instances of the worker unit that are enabled, one a line.
enabled_workers() {
    for link in "$root$unit_dir"/*.wants/run-record-archiver-worker@*.service; do
        [ ! -L "$link" ] || basename "$link"
    done | sort -u
}

make_folder() {
    [ -d "$root$1" ] || run mkdir -p "$root$1"
    run chmod "$2" "$root$1"
    own "$1" "$3"
}

# Only root can give files away, and only where there is a user to give them to.
own() {
    if [ "$scope" = system ] && [ -z "$root" ]; then run chown "$2" "$1"; fi
}

write_file() { # path, mode; the text comes on standard input
    text=$(cat)
    echo "+ write $root$1 ($2)"
    if [ -z "$dry" ]; then
        printf '%s\n' "$text" >"$root$1.new"
        chmod "$2" "$root$1.new"
        mv -f "$root$1.new" "$root$1"
    fi
}

# The settings as the units will read them, with archiver.env and the credentials: the JSON of `config check`.
# Fails, with what is wrong on stderr, where they cannot be read.
read_settings() {
    environment=$root$config_dir/archiver.env
    # It is run as shell text, with the rights of whoever installs.
    if [ -f "$environment" ] && [ -z "$(find -L "$environment" -prune \( -user 0 -o -user "$(id -u)" \))" ]; then
        echo "install.sh: $environment belongs to another user: chown it to root or to $(id -un)" >&2
        return 1
    fi
    if [ -n "$(find -L "$environment" -prune -perm /022 2>/dev/null)" ]; then
        echo "install.sh: $environment may be written by others: chmod go-w it" >&2
        return 1
    fi
    # shellcheck disable=SC2016
    CREDENTIALS_DIRECTORY=$root$config_dir/credentials sh -c '
        set -a
        [ ! -f "$1" ] || . "$1"
        set +a
        shift
        exec "$@"' sh "$environment" \
        "$node" "$app/dist/main.js" config check --no-connect --json --config "$root$config_dir/config.yaml"
}

# Makes all units aside, in $made, and has systemd read them, before any that is there is replaced. Ends where one of them is not right.
make_units() {
    made=$(mktemp -d)
    trap 'rm -rf "$made"' EXIT
    settings=
    if [ -f "$root$config_dir/config.yaml" ] && ! settings=$(read_settings); then
        echo "install.sh: $config_dir/config.yaml cannot be read, so the units keep the paths that they have" >&2
        settings=
    fi
    printf '%s' "$settings" | "$node" "$app/scripts/render-units.mjs" \
        "$app" "$node" "$config_dir" "$state_dir" "$scope" "$root$unit_dir" "$made" || fail "the units are left as they were"
    command -v systemd-analyze >/dev/null 2>&1 || return 0
    user=
    [ "$scope" = system ] || user=--user
    # It says what it ignores and still calls that right, so what it says counts, where it is about a unit of ours.
    # shellcheck disable=SC2086
    systemd-analyze $user verify --man=no "$made"/* >"$made.said" 2>&1 || true
    said=$(grep -F -e "$made/" -e run-record-archiver "$made.said" || true)
    rm -f "$made.said"
    [ -z "$said" ] || fail "the units are left as they were; systemd would not read the new ones as they are meant:
$said"
}

install_all() {
    if [ "$scope" = system ] && [ -z "$root" ] && ! id archiver >/dev/null 2>&1; then
        run useradd --system --user-group --home-dir "$state_dir" --no-create-home --shell /usr/sbin/nologin archiver
    fi
    make_folder "$config_dir" 0750 root:archiver
    make_folder "$config_dir/credentials" 0700 root:root
    make_folder "$state_dir" 0750 archiver:archiver
    for folder in "$unit_dir" "$man_dir" "$bash_dir" "$fish_dir" ${zsh_dir:+"$zsh_dir"}; do [ -d "$root$folder" ] || run mkdir -p "$root$folder"; done
    if [ ! -f "$root$config_dir/config.yaml" ]; then
        # shellcheck disable=SC2016
        "$node" -e 'const [file, folder] = process.argv.slice(1)
            process.stdout.write(require("fs").readFileSync(file, "utf8").replaceAll("/var/lib/run_record_archiver", () => folder))' \
            "$app/config.example.yaml" "$state_dir" | write_file "$config_dir/config.yaml" 0640
        own "$config_dir/config.yaml" root:archiver
    fi
    if [ ! -f "$root$config_dir/archiver.env" ]; then
        write_file "$config_dir/archiver.env" 0640 <<'ENV'
# Variables for config.yaml, one NAME=value a line. No secrets: those are files in credentials/.
#RUN_RECORDS_DIR=/daq/run_records
ENV
        own "$config_dir/archiver.env" root:archiver
    fi

    make_units
    for unit in $units; do write_file "$unit_dir/$unit" 0644 <"$made/$unit"; done
    write_file "$man_dir/run-archiver.1" 0644 <"$app/docs/run-archiver.1"
    write_file "$bash_dir/run-archiver" 0644 <"$app/docs/completions/run-archiver.bash"
    write_file "$fish_dir/run-archiver.fish" 0644 <"$app/docs/completions/run-archiver.fish"
    [ -z "$zsh_dir" ] || write_file "$zsh_dir/_run-archiver" 0644 <"$app/docs/completions/_run-archiver"

    systemctl_ daemon-reload
    if [ "$kind" = workers ]; then
        # At boot systemd starts one of units that exclude each other, and it may be the wrong one.
        systemctl_ disable run-record-archiver.timer run-record-archiver-retry.timer run-record-archiver-daemon.service
        systemctl_ enable run-record-archiver-report.timer
        start="$(enabled_workers | tr '\n' ' ')run-record-archiver-report.timer"
    elif [ "$kind" = daemon ]; then
        systemctl_ disable --now run-record-archiver.timer run-record-archiver-retry.timer
        systemctl_ enable run-record-archiver-daemon.service run-record-archiver-report.timer
        start="run-record-archiver-daemon.service run-record-archiver-report.timer"
    else
        systemctl_ disable --now run-record-archiver-daemon.service
        systemctl_ enable run-record-archiver.timer run-record-archiver-retry.timer run-record-archiver-report.timer
        start="run-record-archiver.timer run-record-archiver-retry.timer run-record-archiver-report.timer"
    fi
    flag=
    [ "$scope" = system ] || flag=" --user"
    cat <<END

Installed. What is left to do:
  1. write $config_dir/config.yaml; secrets go to $config_dir/credentials/, one file each (mode 0600)
  2. $node $app/dist/main.js config check --config $config_dir/config.yaml
  3. run this script again, so that the units know the paths of the configuration
  4. systemctl$flag start $start
END
}

uninstall_all() {
    for worker in $(enabled_workers); do systemctl_ disable "$worker"; done
    # A pattern means those that run, enabled or not.
    systemctl_ stop 'run-record-archiver-worker@*.service'
    systemctl_ disable --now run-record-archiver.timer run-record-archiver-retry.timer \
        run-record-archiver-report.timer run-record-archiver-daemon.service \
        run-record-archiver-page.socket run-record-archiver-page.service
    for unit in $units; do [ ! -f "$root$unit_dir/$unit" ] || run rm -f "$root$unit_dir/$unit"; done
    for file in "$man_dir/run-archiver.1" "$bash_dir/run-archiver" "$fish_dir/run-archiver.fish" \
        ${zsh_dir:+"$zsh_dir/_run-archiver"}; do
        [ ! -f "$root$file" ] || run rm -f "$root$file"
    done
    systemctl_ daemon-reload
    echo "Left where they are: $config_dir, $state_dir, the archive, and the user archiver."
}

if [ "$mode" = install ] && [ -n "$(enabled_workers)" ]; then
    [ "$kind" = timer ] || fail "workers are enabled here, and the daemon excludes them: systemctl disable --now $(enabled_workers | tr '\n' ' ')"
    kind=workers
fi
if [ "$mode" = install ]; then install_all; else uninstall_all; fi
[ -z "$dry" ] || echo "(dry run: nothing was changed)"
