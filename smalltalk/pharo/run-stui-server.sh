#!/bin/sh
# Runs a STUI server in a headless Pharo image, and stops it cleanly.
# What it does is described by --help; README.md has the whole story. `stui pharo` runs this very script.
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
  --exit-with-pid PID     stop the server when this process has ended
  --prepare               load STUI into a copy of the image, once, and run a copy of that; it is loaded again when
                          the image, the VM or STUI has changed. --prepare=again loads it again anyway
  --prepare-only          only prepare, then end; --prepare-only=again likewise
  --check                 only say whether the image is prepared: exit code 0 if it is, 3 if not
  --test                  run the package's own tests in the prepared image, then end: exit code 1 if one fails
  --data PATH             where prepared images are (else stui/pharo in $XDG_DATA_HOME)
  --help

It ends when the server does. SIGTERM, SIGINT and SIGHUP stop the server first: clients are told, and
nothing is cut off. A VM that gets such a signal itself dies at once. So does creating CONNECTION-FILE.stop.
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
again=no
action=serve
watched=
data=

while [ $# -gt 0 ]; do
	case $1 in
	--vm | --image | --endpoint | --key | --socket | --connection-file | --log | --exit-with-pid | --data)
		[ $# -ge 2 ] || fail "$1 needs a value; see --help."
		case $1 in
		--vm) vm=$2 ;;
		--image) image=$2 ;;
		--endpoint) endpoint=$2 ;;
		--key) key=$2 ;;
		--socket) kind=$2 ;;
		--connection-file) connection=$2 ;;
		--log) log=$2 ;;
		--exit-with-pid) watched=$2 ;;
		--data) data=$2 ;;
		esac
		shift 2
		;;
	--no-key) key=none && shift ;;
	--prepare) prepare=yes && shift ;;
	--prepare=again) prepare=yes && again=yes && shift ;;
	--prepare-only) prepare=yes && action=prepare && shift ;;
	--prepare-only=again) prepare=yes && again=yes && action=prepare && shift ;;
	--check) action=check && shift ;;
	--test) prepare=yes && action=test && shift ;;
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
case $watched in
*[!0-9]*) fail "$watched is no process id." ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || fail "The folder of this script cannot be entered."
[ -d "$here/src/STUI-Server" ] || fail "The package's source is not beside this script (in $here/src)."

[ -n "$vm" ] || vm=$(command -v pharo) || fail "There is no Pharo VM: give --vm or PHARO_VM, or put pharo on the PATH."
case $vm in
*/*) [ -f "$vm" ] && [ -x "$vm" ] || fail "The VM $vm is no program that can be run." ;;
*) vm=$(command -v "$vm") || fail "The VM $vm is not on the PATH." ;;
esac
[ -n "$image" ] || fail "There is no image: give --image or PHARO_IMAGE."
[ -r "$image" ] || fail "The image $image cannot be read."
case $image in
*.image) ;;
*) fail "$image is no image: its name does not end with .image." ;;
esac
image=$(CDPATH='' cd -- "$(dirname -- "$image")" && pwd)/$(basename -- "$image") || fail "The folder of $image cannot be entered."

# What is written here is for this user alone. And the key goes through the environment: a command line can be read
# by everybody on the machine.
umask 077

child=
server=
watcher=
new=

# Runs a command in the background, in a session of its own: a key or a closed window that ends this script must not
# reach the VM, which would die of it. $child is its process, and its group too where that is so.
in_background() {
	if command -v setsid >/dev/null; then
		setsid "$@" &
	elif command -v perl >/dev/null; then
		perl -MPOSIX -e 'POSIX::setsid(); exec @ARGV or exit 127' -- "$@" &
	else
		"$@" &
	fi
	child=$!
}

# Ends $child at once, and a VM that it is only a wrapper of.
kill_child() {
	[ -n "$child" ] || return 0
	kill -9 -- "-$child" 2>/dev/null || kill -9 "$child" 2>/dev/null
	pid=$(pid_in "$connection")
	[ -z "$pid" ] || [ -z "$server" ] || kill -9 "$pid" 2>/dev/null
}

# The process id in a connection file. 0 stands there if the server could not find it out, and means many processes to kill.
pid_in() {
	[ -r "$1" ] && sed -n 's/.*"pid" *: *\([1-9][0-9]*\).*/\1/p' "$1" | head -n 1
}

stop_watching() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null
	watcher=
}

# Ends with a process: asks this very script to stop when the other one is gone.
watch_process() {
	[ -n "$watched" ] || return 0
	(
		trap - TERM INT HUP
		while kill -0 "$watched" 2>/dev/null; do sleep 1; done
		kill -TERM $$
	) >/dev/null 2>&1 &
	watcher=$!
}

# Waits for a child, also when a signal that is handled comes between. Answers its exit code.
wait_for() {
	while :; do
		wait "$1"
		code=$?
		kill -0 "$1" 2>/dev/null || return "$code"
	done
}

cancel() {
	trap '' TERM INT HUP
	kill_child
	stop_watching
	[ -z "$new" ] || rm -rf "$new"
	say "it was told to stop before the server listened"
	exit 0
}
trap cancel TERM INT HUP
watch_process

# A checksum and the size of what comes in.
sum() { cksum | tr -s ' \t' '  ' | cut -d ' ' -f 1,2; }

# What a prepared image was made of. The VM says its version; its program alone can be a script that stays the same.
ingredients() {
	printf 'sources %s\n' "$(cd "$here" && find src scripts -type f -exec cksum {} + | LC_ALL=C sort | sum)"
	printf 'image %s\n' "$(sum <"$image")"
	printf 'vm %s\n' "$({ cat "$vm" && printf '%s\n' "$vm_version"; } | sum)"
}

# Whether the prepared image is up to date; sets $stale to what has changed, if it is not.
is_prepared() {
	stale=
	[ -r "$home/prepared.image" ] && [ -r "$home/ingredients" ] || return 1
	now=$(ingredients)
	[ "$now" = "$(cat "$home/ingredients")" ] && return 0
	for part in sources image vm; do
		was=$(sed -n "s/^$part //p" "$home/ingredients")
		is=$(printf '%s\n' "$now" | sed -n "s/^$part //p")
		[ "$was" = "$is" ] || stale="${stale:+$stale, }$part"
	done
	return 1
}

# Copies an image with what belongs to it: copy_image FROM-WITHOUT-ENDING TO-WITHOUT-ENDING
copy_image() {
	cp -- "$1.image" "$2.image" || fail "$1.image cannot be copied to $(dirname -- "$2"); is the disk full?"
	if [ -r "$1.changes" ]; then
		cp -- "$1.changes" "$2.changes" || fail "$1.changes cannot be copied to $(dirname -- "$2"); is the disk full?"
	fi
	chmod u+w "$2".*
	# as large as all the rest, and never written to
	for sources in "$(dirname -- "$1")"/*.sources; do
		[ ! -r "$sources" ] || ln -sf "$(CDPATH='' cd -- "$(dirname -- "$sources")" && pwd -P)/$(basename -- "$sources")" "$(dirname -- "$2")/"
	done
}

# Loads STUI into a copy of the image, in a folder that is named after the image.
prepare_image() {
	if [ "$again" = no ] && is_prepared; then return; fi
	# Of runs that were killed. Others may be preparing the same image at this moment, so each has a folder of its own.
	for old in "$home".new.*; do
		[ ! -d "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"
	done
	new=$home.new.$$
	rm -rf "$new" && mkdir -p "$new" || fail "The folder $new cannot be made."
	if [ -n "${stale:-}" ]; then
		say "preparing the Pharo image again ($stale changed); it takes a minute"
	else
		say "preparing the Pharo image: STUI is loaded into a copy of $image; it takes a minute"
	fi
	copy_image "${image%.image}" "$new/prepared"
	ingredients >"$new/ingredients"
	printf '%s\n' "$image" >"$new/origin"
	STUI_SOURCE=$here/src STUI_ENDPOINT=
	export STUI_SOURCE STUI_ENDPOINT
	in_background "$vm" --headless "$new/prepared.image" --no-default-preferences st "$here/scripts/load.st" --save --quit \
		>"$new/prepare.log" 2>&1
	wait_for "$child" || keep_log "STUI could not be loaded into the image"
	child=
	grep -q '^STUI loaded' "$new/prepare.log" || keep_log "Loading STUI into the image has no good end"
	if [ "$again" = no ] && is_prepared; then
		rm -rf "$new"
	else
		rm -rf "$home" && mv -- "$new" "$home" || fail "$home cannot be written."
	fi
	say "the Pharo image is prepared"
}

# Fails with the last lines of the log of loading, which stays.
keep_log() {
	mkdir -p "$data" && cp "$new/prepare.log" "$data/prepare.log"
	tail -n 5 "$new/prepare.log" >&2
	rm -rf "$new"
	fail "$1; see $data/prepare.log. Is $image an image of Pharo 12 or 13, and is the VM for it?"
}

# Each connection file has a copy of its own of the prepared image, so that two servers never share one, and what
# SaveImage saves is there at the next start.
work_image() {
	name=$(basename -- "$connection")
	work=$data/work/${name%.json}-$(printf '%s' "$connection" | sum | cut -d ' ' -f 1)
	copy=$work/$(basename -- "$image" .image)
	if [ -r "$copy.image" ] && cmp -s "$home/ingredients" "$work/ingredients" && cmp -s "$home/origin" "$work/origin"; then
		image=$copy.image
		return
	fi
	if [ -d "$work" ]; then
		# the checksums of all images in it: one saved under another name counts too
		if [ "$(find "$work" -name '*.image' -exec sh -c 'cksum <"$1"' sh {} \; | sum)" != "$(cat "$work/fresh" 2>/dev/null)" ]; then
			kept=$work.saved-$(date +%Y%m%d-%H%M%S)
			mv -- "$work" "$kept" || fail "$work cannot be moved out of the way."
			say "a new copy of the prepared image is made; the one before was saved by somebody and is kept in $kept"
		else
			rm -rf "$work"
		fi
	fi
	mkdir -p "$work" || fail "The folder $work cannot be made."
	copy_image "$home/prepared" "$copy"
	cksum <"$copy.image" | sum >"$work/fresh"
	cp "$home/origin" "$home/ingredients" "$work/" || fail "$work cannot be written; is the disk full?"
	image=$copy.image
}

absolute() {
	case $1 in
	/*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$PWD" "$1" ;;
	esac
}

if [ "$action" = check ] || [ "$prepare" = yes ]; then
	[ -n "$data" ] || data=${XDG_DATA_HOME:-${HOME:-}/.local/share}/stui/pharo
	data=$(absolute "$data")
	home=$data/images/$(basename -- "$image" .image)-$(printf '%s' "$image" | sum | cut -d ' ' -f 1)
	# Looked for first: where nothing is prepared, the VM need not be asked.
	if [ "$action" = check ] && [ ! -r "$home/prepared.image" ]; then
		printf 'not prepared\n'
		exit 3
	fi
	vm_version=$("$vm" --headless --version 2>/dev/null </dev/null) ||
		fail "The VM $vm does not run (exit code $?): is it for this machine? Its --version says more."
fi
if [ "$action" = check ]; then
	if is_prepared; then
		printf 'prepared\n'
		exit 0
	fi
	printf 'prepared before, but changed since: %s\n' "${stale:-something}"
	exit 3
fi
[ "$prepare" = no ] || prepare_image
if [ "$action" = prepare ]; then
	stop_watching
	say "prepared: $home/prepared.image"
	exit 0
fi

if [ "$action" = test ]; then
	folder=$(mktemp -d "${TMPDIR:-/tmp}/stui-test.XXXXXX") || fail "There is no place for temporary files."
	new=$folder
	# Tests define and remove classes, which goes to the file of changes: a copy, for once.
	copy_image "$home/prepared" "$folder/test"
	STUI_ENDPOINT=
	export STUI_ENDPOINT
	in_background "$vm" --headless "$folder/test.image" --no-default-preferences st "$here/scripts/test.st" --quit
	wait_for "$child"
	code=$?
	child=
	stop_watching
	rm -rf "$folder"
	exit "$code"
fi

# Where stui looks: its runtime directory.
if [ -z "$connection" ]; then
	runtime=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/stui}
	connection=${runtime:-${TMPDIR:-/tmp}/stui-$(id -u)}/pharo.json
fi
connection=$(absolute "$connection")
folder=$(dirname -- "$connection")
mkdir -p "$folder" || fail "The folder $folder of the connection file cannot be made."
[ -w "$folder" ] || fail "The folder $folder of the connection file cannot be written."
# In somebody else's folder a link could lead what is written here anywhere.
[ -O "$folder" ] || fail "The folder $folder of the connection file is not yours; choose another with --connection-file."
pid=$(pid_in "$connection")
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
	fail "A server (process $pid) has the connection file $connection; stop it first, or take another --connection-file."
fi
[ "$prepare" = no ] || work_image
[ -n "$log" ] || log=${connection%.json}.log
stop=$connection.stop
rm -f "$stop" "$connection" || fail "An old connection file $connection cannot be removed."
: >"$log" || fail "The log $log cannot be written."

STUI_ENDPOINT=$endpoint STUI_KEY=$key STUI_SOCKET=$kind STUI_CONNECTION_FILE=$connection STUI_STOP_FILE=$stop
export STUI_ENDPOINT STUI_KEY STUI_SOCKET STUI_CONNECTION_FILE STUI_STOP_FILE
in_background "$vm" --headless --maxOldSpaceSize=2G "$image" --no-default-preferences st "$here/scripts/start.st" >>"$log" 2>&1
server=$child

# Asks the server to stop by a file that it looks for; a server that does not is ended after ten seconds.
ask_to_stop() {
	trap '' TERM INT HUP
	stop_watching
	: >"$stop"
	waited=0
	while kill -0 "$server" 2>/dev/null; do
		if [ "$waited" -ge 100 ]; then
			say "the server does not stop; ending its process"
			kill_child
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
		stop_watching
		tail -n 5 "$log" >&2
		fail "The server did not start (exit code $code); see $log."
	fi
	[ "$waited" -lt 600 ] || {
		kill_child
		stop_watching
		fail "The server did not start within a minute; see $log."
	}
	sleep 0.1
	waited=$((waited + 1))
done
say "listening; connection file $connection, log $log"

wait_for "$server"
code=$?
stop_watching
rm -f "$stop" "$connection"
[ "$code" -eq 0 ] || fail "The server ended with exit code $code; see $log."
