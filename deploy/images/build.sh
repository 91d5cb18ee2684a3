#!/usr/bin/env bash
# Builds every image as ruamjai/<target>:$VERSION and prints sizes; 69 where no engine answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${VERSION:?}"
images="intake geo dispatch notify cli demo"
if ! said=$(docker version 2>&1 >/dev/null); then
    echo "no images: no container engine answers: $said" >&2
    exit 69
fi
passed=(--build-arg "VERSION=$VERSION" --build-arg "REVISION=$(git rev-parse HEAD)")
for name in PYTHON_IMAGE PACKAGE_INDEX; do
    if [ -n "${!name:-}" ]; then passed+=(--build-arg "$name=${!name}"); fi
done
for image in $images; do
    docker build --quiet "${passed[@]}" --target "$image" --tag "ruamjai/$image:$VERSION" . >/dev/null
done
megabytes() { docker image inspect --format '{{.Size}}' "$1" | awk '{printf "%.0f", $1 / 1e6}'; }
base=$(megabytes "${PYTHON_IMAGE:-python:3.11-slim-bookworm}")
printf '%-34s %6s %s\n' image MB "of these beyond the base image"
for image in $images; do
    size=$(megabytes "ruamjai/$image:$VERSION")
    printf '%-34s %6s %s\n' "ruamjai/$image:$VERSION" "$size" "$((size - base))"
done
