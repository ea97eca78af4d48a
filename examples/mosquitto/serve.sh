#!/bin/sh
# Runs a broker of its own: serve.sh PORT DATA. Sessions and what is queued for them live in DATA.
set -eu
port=$1
data=$2
mkdir -p "$data"
cat >"$data/mosquitto.conf" <<CONF
listener $port 127.0.0.1
allow_anonymous true
persistence true
persistence_location $data/
# A message for somebody who is away waits for as long as it takes.
max_queued_messages 0
user $(id -un)
CONF
# Debian keeps it where only root looks.
PATH=$PATH:/usr/sbin:/usr/local/sbin
exec mosquitto -c "$data/mosquitto.conf"
