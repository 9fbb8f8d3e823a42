#!/bin/sh
# Starts run-archiver with the variables of `archiver.env`, where that file lies beside the configuration:
#   run_archiver.sh config.yaml --incremental
# Works from any folder and through symbolic links. NODE names another node than the one in PATH.
set -eu

fail() {
    echo "run_archiver.sh: $1" >&2
    exit 78
}

# The folder of this file, links followed (readlink -f is not everywhere).
self=$0
while [ -L "$self" ]; do
    target=$(readlink "$self")
    case $target in
        /*) self=$target ;;
        *) self=$(dirname "$self")/$target ;;
    esac
done
here=$(CDPATH='' cd -- "$(dirname "$self")" && pwd -P)

# The configuration: what --config names, else the first YAML file, else config.yaml.
config=
named=
for word in "$@"; do
    if [ "$named" = next ]; then
        config=$word
        break
    fi
    case $word in
        --config) named=next ;;
        --config=*)
            config=${word#--config=}
            break
            ;;
        -*) ;;
        *.yaml | *.yml) config=${config:-$word} ;;
    esac
done

# It is run as shell text, with the rights of whoever starts this: it must be theirs or root's, and nobody else may have written it.
environment=$(dirname "${config:-config.yaml}")/archiver.env
case $environment in
    /*) ;;
    *) environment=./$environment ;;
esac
if [ -f "$environment" ]; then
    [ -r "$environment" ] || fail "$environment may not be read by this user"
    [ -n "$(find -L "$environment" -prune \( -user 0 -o -user "$(id -u)" \))" ] ||
        fail "$environment belongs to another user: chown it to root or to $(id -un)"
    [ -z "$(find -L "$environment" -prune -perm -o+w)" ] || fail "$environment may be written by anyone: chmod o-w it"
    set -a
    # shellcheck source=/dev/null
    . "$environment"
    set +a
fi

# What the program recommends is to be started by this, too.
RUN_ARCHIVER_STARTED_BY=$0
export RUN_ARCHIVER_STARTED_BY

node=${NODE:-node}
command -v "$node" >/dev/null 2>&1 || fail "node is not in PATH: install Node 20 or later, or set NODE"

for main in "$here/../dist/main.js" "$here/../lib/run-record-archiver/dist/main.js"; do
    if [ -f "$main" ]; then exec "$node" "$main" "$@"; fi
done
fail "no dist/main.js near $here: run npm run build first"
