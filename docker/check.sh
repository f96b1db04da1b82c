#!/usr/bin/env bash
# Builds the images, starts compose.yaml with its demonstration, and does the main job on it for
# real: a visit over HTTP, a SIP call with audio through the published port, its attributed record;
# then a call with the router killed, and one when it is back. Removes what it started.
#
#   docker/check.sh            or: make docker-check
#
# Needs an engine: docker with its compose plugin, or podman. Where no image registry can be
# reached, podman as root and mmdebstrap make the Debian bases from this machine's own apt sources.
# Settings, all from the environment:
#   ENGINE=podman               this engine (else docker if its daemon answers, else podman)
#   NO_REGISTRY=1               home-made bases without asking a registry first
#   DEBIAN_MIRROR=…             packages from there instead of the machine's own sources
#   DEBIAN_REFUSE_EXPIRED=1     no package index that is past its date, as a frozen mirror's is
#   KEEP=1                      leave everything running, to look at
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

cd "$(dirname "$0")/.."
PROJECT=call-router-check
STATE=$PWD/.run/docker-check
LOG=$STATE/check.log
BUNDLE=/etc/ssl/certs/ca-certificates.crt
NAMES=localhost/call-router

begin=$SECONDS
step() { printf '%4ds  %s\n' $((SECONDS - begin)) "$*"; }
fail() {
    printf '\ndocker-check: %s\n' "$*" >&2
    exit 1
}
# quietly COMMAND…: what it prints goes to the log, whose end is shown if it fails.
quietly() {
    echo "+ $*" >> "$LOG"
    if ! "$@" >> "$LOG" 2>&1; then
        tail -n 25 "$LOG" >&2
        fail "this failed: $* (all it said: $LOG)"
    fi
}
need() {
    command -v "$1" > /dev/null || fail "$1 is missing; on Debian: apt-get install ${2:-$1}"
}

# --- the engine ------------------------------------------------------------------------------

choose_engine() {
    if [ -z "${ENGINE:-}" ]; then
        if docker compose version > /dev/null 2>&1 && docker info > /dev/null 2>&1; then
            ENGINE=docker
        elif command -v podman > /dev/null; then
            ENGINE=podman
        else
            fail "no container engine here. Start docker (with its compose plugin), or on Debian:
  apt-get install podman buildah runc netavark aardvark-dns iptables mmdebstrap"
        fi
    fi
    case $ENGINE in
        docker) compose=(docker compose) ;;
        podman) choose_podman_compose ;;
        *) fail "ENGINE=$ENGINE is neither docker nor podman" ;;
    esac
    step "engine: $("$ENGINE" --version)"
}

choose_podman_compose() {
    need podman
    # Images in docker's format: the other one has no health checks.
    export BUILDAH_FORMAT=docker
    if [ "$(podman info --format '{{.Host.NetworkBackend}}' 2>> "$LOG")" = netavark ]; then
        need iptables
    fi
    local own=$STATE/venv/bin/podman-compose
    if knows_two_networks podman-compose; then
        compose=(podman-compose)
        return
    fi
    if ! knows_two_networks "$own"; then
        step "podman-compose 1.2 or newer is not installed: pip installs one into $STATE/venv"
        quietly python3 -m venv "$STATE/venv"
        quietly "$STATE/venv/bin/pip" --disable-pip-version-check install podman-compose==1.6.0
    fi
    compose=("$own")
}

# Older ones cannot give a container an address on each of two networks.
knows_two_networks() {
    "$1" --version 2> /dev/null | awk '
        $1 == "podman-compose" { split($NF, v, "."); new = v[1] > 1 || (v[1] == 1 && v[2] >= 2) }
        END { exit !new }'
}

# Some machines may not raise limits, or mix cgroup versions: podman then starts no container with
# its own settings, and gets ours.
choose_podman_settings() {
    [ "$ENGINE" = podman ] && [ -z "${CONTAINERS_CONF:-}" ] || return 0
    podman run --rm "$1" true >> "$LOG" 2>&1 && return
    need runc
    export CONTAINERS_CONF=$PWD/docker/containers.conf
    quietly podman run --rm "$1" true
    step "podman starts containers here with docker/containers.conf only"
}

# --- bases -----------------------------------------------------------------------------------

choose_bases() {
    forky=docker.io/library/debian:forky-slim
    trixie=docker.io/library/debian:trixie-slim
    export POSTGRES_IMAGE=docker.io/library/postgres:18
    local image
    if [ -z "${NO_REGISTRY:-}" ]; then
        for image in "$forky" "$trixie" "$POSTGRES_IMAGE"; do
            # Bounded: a network that swallows packets must not hold the check up for ever.
            exists "$image" || timeout 300 "$ENGINE" pull -q "$image" >> "$LOG" 2>&1 || break
        done
        if exists "$image"; then
            step "bases and PostgreSQL: the public images"
            return
        fi
    fi
    [ "$ENGINE" = podman ] || fail "no image registry can be reached; podman can do without one"
    step "no image registry: Debian bases from this machine's own apt sources"
    forky=$NAMES/debian:forky-slim
    trixie=$NAMES/debian:trixie-slim
    POSTGRES_IMAGE=$NAMES/postgres-standin:latest
    make_base forky "$forky"
    make_base trixie "$trixie"
}

exists() { "$ENGINE" image inspect "$1" > /dev/null 2>&1; }

# make_base SUITE IMAGE. The label remembers whether the index was past its date, since packages
# added to the base later come from the same index.
make_base() {
    exists "$2" && return
    need mmdebstrap
    [ "$(id -u)" = 0 ] || need newuidmap uidmap
    local mirror expired=false tar=$STATE/$1.tar
    mirror=$(PYTHONPATH=$PWD python3 -c '
import os
from router.firstrun.debian_sources import DebianError, archives
try:
    print(archives(os.environ)[0].uri)
except DebianError as problem:
    raise SystemExit(str(problem))')
    if ! bootstrap "$1" "$tar" "$mirror" true; then
        [ -z "${DEBIAN_REFUSE_EXPIRED:-}" ] || fail "no base $1 (DEBIAN_REFUSE_EXPIRED): see $LOG"
        step "the index of $1 is refused; once more whatever its date (its signature is checked)"
        expired=true
        bootstrap "$1" "$tar" "$mirror" false || fail "no base $1 could be made: see $LOG"
    fi
    quietly podman import --change 'CMD ["/bin/bash"]' --change "LABEL expired-index=$expired" \
        "$tar" "$2"
    rm -f "$tar"
    step "base debian:$1-slim made"
}

bootstrap() {
    echo "+ mmdebstrap $1 (date checked: $4)" >> "$LOG"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates \
        --aptopt="Acquire::Check-Valid-Until \"$4\"" \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$1" "$2" "$3" >> "$LOG" 2>&1
}

# --- images ----------------------------------------------------------------------------------

build_all() {
    local fresh=true name
    [ "$("$ENGINE" image inspect --format '{{index .Config.Labels "expired-index"}}' "$forky" \
        2> /dev/null)" != true ] || fresh=false
    build=("$ENGINE" build --build-arg "APT_CHECK_VALID_UNTIL=$fresh")
    # What the machine needs to get out is lent to the build and stays out of the images.
    [ "$ENGINE" != podman ] || build+=(--network host)
    [ ! -r "$BUNDLE" ] || build+=(--secret "id=ca_bundle,src=$BUNDLE")
    local index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2> /dev/null || true)}
    [ -z "$index" ] || pip_index=(--build-arg "PIP_INDEX_URL=$index")
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || build+=(--build-arg "$name")
    done

    export ASTERISK_IMAGE=$NAMES/asterisk:check ROUTER_IMAGE=$NAMES/router:check
    build asterisk.Dockerfile "$ASTERISK_IMAGE" --target asterisk --build-arg "DEBIAN_FORKY=$forky"
    build asterisk.Dockerfile "$CALLER_IMAGE" --target caller --build-arg "DEBIAN_FORKY=$forky"
    build router.Dockerfile "$ROUTER_IMAGE" --build-arg "DEBIAN_TRIXIE=$trixie" "${pip_index[@]}"
    if [ "$POSTGRES_IMAGE" = $NAMES/postgres-standin:latest ]; then
        build postgres-standin.Dockerfile "$POSTGRES_IMAGE" --build-arg "DEBIAN_FORKY=$forky"
    fi
}
pip_index=()
CALLER_IMAGE=$NAMES/caller:check

build() {
    local file=$1 image=$2
    shift 2
    quietly "${build[@]}" "$@" --tag "$image" --file "docker/$file" .
    step "image $image"
}

# --- up and down -----------------------------------------------------------------------------

# Ports and networks of its own, so that the check runs beside an installation.
write_environment() {
    rm -f "$STATE/env"
    quietly docker/generate-secrets "$STATE/env"
    PYTHONPATH=$PWD python3 docker/check_calls.py free-ports >> "$STATE/env"
    cat >> "$STATE/env" << 'ENVIRONMENT'
INSIDE_NET=172.31.96
OUTSIDE_NET=172.31.97
LOG_FORMAT=console
ENVIRONMENT
    compose+=(--project-name "$PROJECT" --env-file "$STATE/env" --file docker/compose.yaml
        --profile demo)
}

down() {
    "${compose[@]}" down --volumes >> "$LOG" 2>&1 || true
}

finish() {
    local status=$?
    set +e
    trap - EXIT
    trap '' HUP INT PIPE TERM
    if [ "$status" != 0 ]; then
        local name
        for name in postgres asterisk router demo; do
            printf '\n--- the end of what %s said\n' "$name" >&2
            "$ENGINE" logs --tail 15 "$(container "$name")" >&2 2>&1 || true
        done
    fi
    if [ -n "${KEEP:-}" ]; then
        printf '\nleft running (KEEP); to remove it:\n  %s down --volumes\n' "${compose[*]}"
    else
        down
        step "removed containers, networks and volumes"
    fi
    exit "$status"
}

container() {
    "$ENGINE" ps --all --quiet --filter "label=com.docker.compose.project=$PROJECT" \
        --filter "label=com.docker.compose.service=$1" | head -n 1
}

# Without systemd podman has no timers for health checks: they are run by hand.
healthy() {
    local id
    id=$(container "$1")
    [ -n "$id" ] || return 1
    if [ "$ENGINE" = podman ]; then
        podman healthcheck run "$id" >> "$LOG" 2>&1
    else
        [ "$(docker inspect --format '{{.State.Health.Status}}' "$id")" = healthy ]
    fi
}

wait_healthy() {
    local name tries
    for name in "$@"; do
        tries=0
        until healthy "$name"; do
            tries=$((tries + 1))
            [ "$tries" -lt 90 ] || fail "$name is not healthy after 90 s"
            sleep 1
        done
    done
    step "healthy: $*"
}

# --- the check -------------------------------------------------------------------------------

ask() { PYTHONPATH=$PWD python3 docker/check_calls.py "$@" --environment "$STATE/env"; }

setting() { sed -n "s/^$1=//p" "$STATE/env"; }

# call NUMBER CALLER: rings, talks for three seconds and hangs up; fails unless it was answered.
# The machine's process ids, because SIPp makes its SIP branches of its own: always process 1, its
# second call would be taken for the first once more.
call() {
    local port voice
    port=$(setting CALLER_PORT)
    voice=$(setting CALLER_VOICE_PORT)
    echo "+ SIPp calls $1 from $2" >> "$LOG"
    timeout 60 "$ENGINE" run --rm --network host --pid host --volume "$STATE/caller:/caller:ro" \
        --workdir /caller "$CALLER_IMAGE" "127.0.0.1:$(setting SIP_PORT)" -sf caller.xml \
        -s "$1" -key caller "$2" -m 1 -d 3000 -i 127.0.0.1 -p "$port" -mi 127.0.0.1 \
        -min_rtp_port "$voice" -nostdin -timeout 40s -timeout_error \
        -trace_err -error_file /dev/stderr >> "$LOG" 2>&1
}

refuses_without_secrets() {
    local name
    for name in POSTGRES_PASSWORD AMI_EVENTS_SECRET AMI_RECORDS_SECRET; do
        grep -v "^$name=" "$STATE/env" > "$STATE/env-without"
        if env -u "$name" "${compose[@]//$STATE\/env/$STATE\/env-without}" config \
            > "$STATE/refusal" 2>&1; then
            fail "compose.yaml is accepted without $name"
        fi
        grep -q generate-secrets "$STATE/refusal" || fail "refused without $name, but not saying how"
    done
    rm -f "$STATE/env-without" "$STATE/refusal"
    step "compose.yaml is refused without any one of its secrets"
}

unprivileged() {
    local name id
    for name in postgres asterisk router demo; do
        id=$(container "$name")
        [ "$("$ENGINE" exec "$id" id -u)" != 0 ] || fail "$name runs as root"
        ! "$ENGINE" exec "$id" touch /usr/bin/changed 2>> "$LOG" || fail "$name can change its root"
    done
    step "no container runs as root or can change its own programs"
}

need python3
mkdir -p "$STATE"
: > "$LOG"
choose_engine
choose_bases
choose_podman_settings "$forky"
build_all
write_environment
down
refuses_without_secrets
trap finish EXIT
trap 'exit 130' HUP INT PIPE TERM
quietly "${compose[@]}" up -d --no-build
step "started"
wait_healthy postgres asterisk router demo
unprivileged

PYTHONPATH=$PWD python3 docker/check_calls.py caller-files "$STATE/caller"
token=$("$ENGINE" exec "$(container router)" call-router token create docker-check | tail -n 1)

number=$(ask visit)
step "a visit from an advertisement was shown $number"
called=$(date +%s)
call "$number" +79160000001 || fail "the call to $number was not answered: see $LOG"
step "a call to it rang, was answered and ended"
ask record --number "$number" --caller +79160000001 --since "$called" --route router \
    --token "$token"
step "its record is finished and attributed"

number=$(ask visit)
step "another visitor was shown $number; now the router is killed"
quietly "$ENGINE" kill --signal KILL "$(container router)"
running=$("$ENGINE" inspect --format '{{.State.Running}}' "$(container router)")
[ "$running" = false ] || fail "the router runs again already: this would not show the fail-safe"
called=$(date +%s)
call "$number" +79160000002 || fail "without the router the call was not answered: see $LOG"
step "without the router the call rang and was answered all the same"

quietly "$ENGINE" start "$(container router)"
wait_healthy router
ask record --number "$number" --caller +79160000002 --since "$called" --route failsafe_number \
    --token "$token" --within 30
step "the router is back: that call's record is complete and attributed"

number=$(ask visit)
called=$(date +%s)
call "$number" +79160000003 || fail "after the return the call was not answered: see $LOG"
ask record --number "$number" --caller +79160000003 --since "$called" --route router \
    --token "$token"
step "and the next call is routed by the router again"
printf '\ndocker-check: all of it works\n'
