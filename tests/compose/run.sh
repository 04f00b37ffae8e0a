#!/usr/bin/env bash
# Builds both images, brings the stack of docker-compose.yml up under a name and ports of its own, converses with it from outside, looks at how the
# containers are confined, kills and restarts each server, restores a backup into fresh volumes, and takes everything down again.
# Needs a Docker engine that answers, compose, and the .NET SDK for kmsg. About two minutes, and a few more for the first build of the images.
#
#   tests/compose/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

# Of its own, so that a stack that runs here already is not disturbed.
export COMPOSE_PROJECT_NAME=kmsg-compose-test KMSG_IMAGE_TAG=compose-test
export KMSG_AUTH_PORT=21256 KMSG_MESSAGE_PORT=21257 KMSG_AUTH_ADMIN_PORT=28081 KMSG_MESSAGE_ADMIN_PORT=28082
export KMSG_ADVERTISED_HOST=127.0.0.1 KMSG_BIND_ADDRESS=127.0.0.1 KMSG_REGISTRATION=Open
unset COMPOSE_FILE COMPOSE_PROFILES

# With an empty file in the place of the .env of whoever runs this.
umask 077
work=$(mktemp -d)
touch "$work/env"

if docker compose version >/dev/null 2>&1; then compose() { docker compose --env-file "$work/env" "$@"; }
elif command -v docker-compose >/dev/null; then compose() { docker-compose --env-file "$work/env" "$@"; }
else echo "compose test: neither 'docker compose' nor 'docker-compose' is here" >&2; exit 1; fi
docker version >/dev/null 2>&1 || { echo "compose test: no Docker engine answers" >&2; exit 1; }

step=start
clean_up() {
  local status=$?
  trap - EXIT INT TERM
  if [ "$status" -ne 0 ]; then
    echo "compose test: FAILED at: $step" >&2
    compose logs --no-color --tail=60 >&2 || true
  fi
  compose down --volumes --remove-orphans --timeout 15 >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { step=$*; echo "compose test: $step"; }
fail() { echo "compose test: $*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }
container() { compose ps -q "$1"; }

# Waits until a container's own health check says so.
healthy() {
  local state=
  for _ in $(seq 180); do
    state=$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")")
    [ "$state" = healthy ] && return
    sleep 0.5
  done
  fail "$1 did not become healthy: $state"
}

home=$work/home
kmsg() { dotnet src/KerberosMessaging.Terminal/bin/Debug/net10.0/kmsg.dll --home "$home" "$@" </dev/null; }

# Messages wait for their reader, so sending is tried until it is done; kmsg tells that it was not, and nothing is sent twice.
send() {
  local from=$1 to=$2 text=$3
  for _ in $(seq 30); do kmsg --as "$from" send "$to" -m "$text" >/dev/null 2>"$work/errors" && return; sleep 1; done
  cat "$work/errors" >&2
  fail "$from could not send to $to"
}

# receive NAME TEXT...: these texts, in this order, and no others.
receive() {
  local name=$1 found='' want
  shift
  want=$(printf '%s\n' "$@")
  for _ in $(seq 30); do
    found+=$(kmsg --as "$name" receive --json 2>"$work/errors" | sed -nE 's/.*"text": ?"([^"]*)".*/\1/p' | sed 's/$/|/' | tr -d '\n') || true
    [ "$(tr '|' '\n' <<<"${found%|}")" = "$want" ] && return
    sleep 1
  done
  cat "$work/errors" >&2
  expect "what $name received" "$want" "$(tr '|' '\n' <<<"${found%|}")"
}

say "building kmsg and both images"
[ -f src/KerberosMessaging.Terminal/bin/Debug/net10.0/kmsg.dll ] || dotnet build src/KerberosMessaging.Terminal -v q
compose down --volumes --remove-orphans >/dev/null 2>&1 || true
compose build >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; fail "the images do not build"; }

say "starting the stack as it is checked in"
compose up -d >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "the stack does not start"; }
healthy auth
healthy message

say "looking at how the containers are confined"
for service in auth message; do
  id=$(container "$service")
  status() { docker exec "$id" sh -c "sed -nE 's/^$1:[[:space:]]*//p' /proc/1/status"; }
  expect "$service: user ids of its process" "1654 1654 1654 1654" "$(status Uid | tr '\t' ' ')"
  expect "$service: effective capabilities" 0000000000000000 "$(status CapEff)"
  expect "$service: capabilities it could ever gain" 0000000000000000 "$(status CapBnd)"
  expect "$service: no new privileges" 1 "$(status NoNewPrivs)"
  expect "$service: root file system" ro "$(docker exec "$id" sh -c "sed -nE 's/^[^ ]+ \/ [^ ]+ (r[ow]).*/\1/p' /proc/mounts")"
  docker exec "$id" sh -c 'echo x > /app/x' 2>/dev/null && fail "$service: its program can be changed from inside"
  docker exec "$id" sh -c 'echo x > /data/.x && rm /data/.x' || fail "$service: its data folder cannot be written"
  expect "$service: mode of its data folder" 700 "$(docker exec "$id" stat -c %a /data)"
  [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$id")" -gt 0 ] || fail "$service: its memory is not limited"
done
expect "admin port of auth" "127.0.0.1:$KMSG_AUTH_ADMIN_PORT" "$(docker port "$(container auth)" 8081/tcp)"
expect "admin port of message" "127.0.0.1:$KMSG_MESSAGE_ADMIN_PORT" "$(docker port "$(container message)" 8082/tcp)"
docker exec "$(container auth)" test ! -e /handover/enrolment-token || fail "the enrolment token outlived the enrolment"
docker exec "$(container message)" sh -c 'echo x > /handover/x' 2>/dev/null && fail "message: it can write into the hand-over folder"

say "two people converse from outside"
fingerprint=$(docker exec "$(container auth)" cat /handover/realm-fingerprint)
printf 'correct horse battery staple\n' >"$work/password"
kmsg realm add "127.0.0.1:$KMSG_AUTH_PORT" --fingerprint "$fingerprint" >/dev/null
for name in alice bob; do
  kmsg register "$name" --password-file "$work/password" >/dev/null
  kmsg login "$name" --password-file "$work/password" >/dev/null
done
send alice bob "Hello Bob"
receive bob "Hello Bob"
send bob alice "Hello Alice"
receive alice "Hello Alice"

say "killing the message server with messages waiting"
send alice bob "one, before the kill"
docker kill -s KILL "$(container message)" >/dev/null
compose up -d message >/dev/null 2>&1
healthy message
send alice bob "two, after the kill"
receive bob "one, before the kill" "two, after the kill"

say "killing the auth server"
docker kill -s KILL "$(container auth)" >/dev/null
send alice bob "three, without the auth server"
compose up -d auth >/dev/null 2>&1
healthy auth
receive bob "three, without the auth server"
kmsg --as bob logout >/dev/null
kmsg login bob --password-file "$work/password" >/dev/null
send bob alice "four, after a login"
receive alice "four, after a login"

say "backing both up while they run"
send alice bob "five, waiting in the backup"
for service in auth message; do
  docker exec "$(container "$service")" sh -c '
    umask 077
    program=$(ls /app/KerberosMessaging.*Server.dll)
    dotnet "$program" backup new-key >/backups/backup.key
    dotnet "$program" backup --to /backups/test.backup --encrypt-with /backups/backup.key --with-master-key' >/dev/null \
    || fail "$service: the backup failed"
done

say "stopping in good order"
for service in auth message; do
  docker stop -t 15 "$(container "$service")" >/dev/null
  expect "$service: exit code of a stop" 0 "$(docker inspect -f '{{.State.ExitCode}}' "$(container "$service")")"
done

say "restoring into fresh volumes"
compose down --timeout 15 >/dev/null 2>&1
for service in auth message; do
  docker volume rm "${COMPOSE_PROJECT_NAME}_$service-data" >/dev/null
  compose run --rm --no-deps -T "$service" restore --from /backups/test.backup --key /backups/backup.key >"$work/restore.log" 2>&1 </dev/null \
    || { cat "$work/restore.log" >&2; fail "$service: the restore failed"; }
done
compose up -d >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "the restored stack does not start"; }
healthy auth
healthy message
expect "the realm's fingerprint after the restore" "$fingerprint" "$(docker exec "$(container auth)" cat /handover/realm-fingerprint)"
for name in alice bob; do
  kmsg --as "$name" logout >/dev/null 2>&1 || true # a restore ends all sessions, so there may be nothing to end
  kmsg login "$name" --password-file "$work/password" >/dev/null
done
receive bob "five, waiting in the backup"
send bob alice "six, after the restore"
receive alice "six, after the restore"
send alice bob "seven, and back"
receive bob "seven, and back"
echo "compose test: ok"
