#!/bin/sh
# Shows that the README's two commands do all the set-up: builds a minimal Debian that has a Python with its venv
# module and nothing else (no pip, git, make or compiler; its Python refuses installs of its own), clones HEAD into
# it, and runs them there as an ordinary user. Nothing is left behind.
#
#   tests/clean_machine.sh [trixie|bookworm] [ARGUMENT of ./dev test...]
#
# Needs root, and Debian's packages mmdebstrap, git and util-linux. The certificates and the pip settings of this
# machine (/etc/pip.conf, PIP_* variables) are lent to it while it runs.
set -eu

suite=${1:-trixie}
[ $# -eq 0 ] || shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
for program in mmdebstrap git unshare; do
    command -v "$program" >/dev/null || { echo "clean_machine: needs $program" >&2; exit 3; }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
# The ordinary user must get through the folders above the system.
chmod 755 "$scratch"
system=$scratch/system

# The mirror that this machine uses, where it says so in the usual place; else the usual one.
mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
echo "== a minimal $suite"
mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3,python3-venv "$suite" "$system" ${mirror:+"$mirror"}
git clone --quiet --no-hardlinks "$root" "$system/srv/chatsim"
chown -R 1000:1000 "$system/srv/chatsim"

# What lends the machine its network: nothing here is written into the system, it is mounted while it runs.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
    [ ! -f "$file" ] || : >>"$system$file"
done
cat >"$scratch/enter" <<'ENTER'
set -eu
system=$1
shift
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
mount --bind /etc/ssl/certs "$system/etc/ssl/certs"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
    [ ! -f "$file" ] || mount --bind "$file" "$system$file"
done
exec chroot --userspec=1000:1000 "$system" "$@"
ENTER

# A clean environment, but for how packages are reached.
# shellcheck disable=SC2016 # the variables are those of the shell inside
set -- sh -c 'cd /srv/chatsim
echo "== $(python3 --version), as user $(id -u)"
for absent in pip git make cc; do ! command -v $absent >/dev/null || echo "unexpected: $absent"; done
echo "\$ ./dev chatsim run scenarios/basic.yaml"
./dev chatsim run scenarios/basic.yaml || exit
echo "\$ ./dev test"
exec ./dev test "$@"' sh "$@"
for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT PIP_PROXY HTTPS_PROXY https_proxy; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || set -- "$name=$value" "$@"
done
# A process namespace of its own: whatever it starts ends with it.
unshare --mount --pid --fork --kill-child sh "$scratch/enter" "$system" \
    env -i PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 "$@"
