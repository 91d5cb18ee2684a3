#!/usr/bin/env bash
# The stream in containers: `up`, `demo` (plays the day on what runs), `down`, and `test`, which does all three in
# a project of its own without published ports. 69 where no engine with compose answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=.venv/bin/python

engine() {
    if ! said=$({ docker version && docker compose version; } 2>&1 >/dev/null); then
        echo "no container engine with compose answers: $said" >&2
        exit 69
    fi
}

# Five seconds to acknowledge, so that the day's units that do not answer are passed over within the day.
prepare() {
    $python -m deploy.local.demo.credentials .compose http://demo:8300/ruamjai
    export RUAMJAI_TAG=${VERSION:?} ACKNOWLEDGE_SECONDS=5
}

remember() { printf 'RUAMJAI_TAG=%s\nACKNOWLEDGE_SECONDS=%s\n' "$RUAMJAI_TAG" "$ACKNOWLEDGE_SECONDS" >.env; }

up() { docker compose up --detach --wait --wait-timeout 180; }

demo() {
    local code=0 logs
    exec 3< <(exec docker compose logs --follow --no-color intake geo dispatch notify 2>&1)
    logs=$!
    docker compose run --rm --no-TTY --use-aliases demo <&3 || code=$?
    kill "$logs" 2>/dev/null || true
    return "$code"
}

down() { docker compose --profile "*" down --volumes --remove-orphans --timeout 30; }

whole() {
    export COMPOSE_PROJECT_NAME=ruamjai-test COMPOSE_FILE=docker-compose.yml:deploy/local/compose.test.yml
    trap down EXIT
    up || { docker compose ps --all; docker compose logs --tail 20; return 1; }
    docker compose ps --all --format 'table {{.Service}}\t{{.Status}}'
    docker stats --no-stream --format 'table {{.Name}}\t{{.MemUsage}}'
    demo
}

engine
case "${1:-}" in
    up) prepare && remember && up ;;
    demo | down) "$1" ;;
    test) prepare && whole ;;
    *) echo "usage: $0 up|demo|down|test" >&2; exit 64 ;;
esac
