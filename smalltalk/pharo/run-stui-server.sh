#!/bin/sh
# Runs a STUI server in a headless Pharo image, and stops it cleanly.
# What it does is described by --help; README.md has the whole story.
set -u

usage() {
	cat <<'TEXT'
usage: run-stui-server.sh [options]

  --vm PATH               the Pharo VM         (else $PHARO_VM, else pharo on the PATH)
  --image PATH            the image            (else $PHARO_IMAGE)
  --endpoint ENDPOINT     where to listen      (else $STUI_ENDPOINT, else tcp://127.0.0.1:5555)
  --key KEY | --no-key    the key              (else $STUI_KEY, else a new random one)
  --socket KIND           auto, binding, libzmq or zmtp
  --connection-file PATH  where clients find endpoint and key
                          (else $STUI_CONNECTION_FILE, else stui/pharo.json in $XDG_RUNTIME_DIR)
  --log PATH              the server's output  (else beside the connection file)
  --prepare               load STUI into a copy of the image, once, and use that; a copy that is there is used
                          as it is: --prepare=again makes it anew
  --prepare-only          only prepare, then end
  --help

It ends when the server does. SIGTERM, SIGINT and SIGHUP stop the server first: clients are told, and
nothing is cut off. A VM that gets such a signal itself dies at once.
TEXT
}

say() { printf '%s\n' "run-stui-server: $*" >&2; }
fail() {
	say "$*"
	exit 1
}

vm=${PHARO_VM:-}
image=${PHARO_IMAGE:-}
endpoint=${STUI_ENDPOINT:-tcp://127.0.0.1:5555}
key=${STUI_KEY:-}
kind=${STUI_SOCKET:-auto}
connection=${STUI_CONNECTION_FILE:-}
log=
prepare=no

while [ $# -gt 0 ]; do
	case $1 in
	--vm | --image | --endpoint | --key | --socket | --connection-file | --log)
		[ $# -ge 2 ] || fail "$1 needs a value; see --help."
		case $1 in
		--vm) vm=$2 ;;
		--image) image=$2 ;;
		--endpoint) endpoint=$2 ;;
		--key) key=$2 ;;
		--socket) kind=$2 ;;
		--connection-file) connection=$2 ;;
		--log) log=$2 ;;
		esac
		shift 2
		;;
	--no-key) key=none && shift ;;
	--prepare) prepare=once && shift ;;
	--prepare=again) prepare=again && shift ;;
	--prepare-only) prepare=only && shift ;;
	--help | -h) usage && exit 0 ;;
	*) fail "$1 is no option; see --help." ;;
	esac
done

case $kind in
auto | binding | libzmq | zmtp) ;;
*) fail "$kind is no kind of socket; take auto, binding, libzmq or zmtp." ;;
esac
case $endpoint in
tcp://*:* | ipc://*) ;;
*) fail "$endpoint is no endpoint; write it as tcp://127.0.0.1:5555 or ipc:///path." ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || fail "The folder of this script cannot be entered."
[ -d "$here/src/STUI-Server" ] || fail "The package's source is not beside this script (in $here/src)."

[ -n "$vm" ] || vm=$(command -v pharo) || fail "There is no Pharo VM: give --vm or PHARO_VM, or put pharo on the PATH."
case $vm in
*/*) [ -x "$vm" ] || fail "The VM $vm is no program that can be run." ;;
*) command -v "$vm" >/dev/null || fail "The VM $vm is not on the PATH." ;;
esac
[ -n "$image" ] || fail "There is no image: give --image or PHARO_IMAGE."
[ -r "$image" ] || fail "The image $image cannot be read."
case $image in
*.image) ;;
*) fail "$image is no image: its name does not end with .image." ;;
esac

# The key goes through the environment: a command line can be read by everybody on the machine.
umask 077

# A copy of the image with STUI in it, named after the image it is made from.
prepare_image() {
	data=${XDG_DATA_HOME:-$HOME/.local/share}/stui/pharo
	name=$(basename "$image" .image)
	prepared=$data/$name-stui.image
	if [ -r "$prepared" ] && [ "$1" != again ]; then
		image=$prepared
		return
	fi
	mkdir -p "$data" || fail "The folder $data cannot be made."
	say "loading STUI into a copy of $image; this takes a minute"
	rm -f "$data/$name-new.image" "$data/$name-new.changes"
	cp "$image" "$data/$name-new.image" || fail "$image cannot be copied to $data."
	changes=${image%.image}.changes
	if [ -r "$changes" ]; then
		cp "$changes" "$data/$name-new.changes" || fail "$changes cannot be copied to $data."
	fi
	for sources in "$(dirname "$image")"/*.sources; do
		[ -r "$sources" ] && cp "$sources" "$data/"
	done
	STUI_SOURCE=$here/src STUI_ENDPOINT="" \
		"$vm" --headless "$data/$name-new.image" --no-default-preferences st "$here/scripts/load.st" --save --quit \
		>"$data/prepare.log" 2>&1 || {
		tail -n 5 "$data/prepare.log" >&2
		fail "STUI could not be loaded into the image; see $data/prepare.log."
	}
	grep -q '^STUI loaded' "$data/prepare.log" || fail "Loading STUI into the image has no good end; see $data/prepare.log."
	mv "$data/$name-new.image" "$prepared" || fail "$prepared cannot be written."
	[ ! -e "$data/$name-new.changes" ] || mv "$data/$name-new.changes" "$data/$name-stui.changes"
	image=$prepared
}
case $prepare in
no) ;;
once) prepare_image once ;;
*) prepare_image again ;;
esac
if [ "$prepare" = only ]; then
	say "prepared: $image"
	exit 0
fi

# Where stui looks: its runtime directory.
if [ -z "$connection" ]; then
	runtime=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/stui}
	connection=${runtime:-${TMPDIR:-/tmp}/stui-$(id -u)}/pharo.json
fi
folder=$(dirname "$connection")
mkdir -p "$folder" || fail "The folder $folder of the connection file cannot be made."
[ -w "$folder" ] || fail "The folder $folder of the connection file cannot be written."
# In somebody else's folder a link could lead what is written here anywhere.
[ -O "$folder" ] || fail "The folder $folder of the connection file is not yours; choose another with --connection-file."
[ -n "$log" ] || log=${connection%.json}.log
stop=$connection.stop
rm -f "$stop" "$connection" || fail "An old connection file $connection cannot be removed."
: >"$log" || fail "The log $log cannot be written."

STUI_ENDPOINT=$endpoint STUI_KEY=$key STUI_SOCKET=$kind STUI_CONNECTION_FILE=$connection STUI_STOP_FILE=$stop \
	"$vm" --headless --maxOldSpaceSize=2G "$image" --no-default-preferences st "$here/scripts/start.st" >>"$log" 2>&1 &
server=$!

# Asks the server to stop by a file that it looks for; a server that does not is ended after ten seconds.
ask_to_stop() {
	trap '' TERM INT HUP
	: >"$stop"
	waited=0
	while kill -0 "$server" 2>/dev/null; do
		if [ "$waited" -ge 100 ]; then
			say "the server does not stop; ending its process"
			kill -9 "$server"
			break
		fi
		sleep 0.1
		waited=$((waited + 1))
	done
	wait "$server" 2>/dev/null
	rm -f "$stop" "$connection"
	exit 0
}
trap ask_to_stop TERM INT HUP

# Until the server listens, or has failed.
waited=0
while [ ! -s "$connection" ]; do
	if ! kill -0 "$server" 2>/dev/null; then
		wait "$server"
		code=$?
		tail -n 5 "$log" >&2
		fail "The server did not start (exit code $code); see $log."
	fi
	[ "$waited" -lt 600 ] || {
		kill -9 "$server"
		fail "The server did not start within a minute; see $log."
	}
	sleep 0.1
	waited=$((waited + 1))
done
say "listening; connection file $connection, log $log"

wait "$server"
code=$?
rm -f "$stop" "$connection"
[ "$code" -eq 0 ] || fail "The server ended with exit code $code; see $log."
