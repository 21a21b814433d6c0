#!/bin/sh
# Copies a released chart, its provenance and every image that it names into a registry of your own, and prints how to install
# from there. Needs helm (3.8 or newer) and crane; log in to both registries first: helm registry login, crane auth login.
set -eu

usage() {
  echo "usage: mirror.sh [--plain-http] oci://REGISTRY/charts/ngrok-operator VERSION MIRROR[/PATH]" >&2
  exit 2
}

helm_flags= crane_flags=
if [ "${1:-}" = --plain-http ]; then
  helm_flags=--plain-http crane_flags=--insecure
  shift
fi
[ $# -eq 3 ] || usage
chart=$1 version=$2 mirror=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Word splitting is meant: each holds one flag or none.
# shellcheck disable=SC2086
helm pull "$chart" --version "$version" --prov --destination "$work" $helm_flags >&2
archive=$(find "$work" -name '*.tgz')
helm show chart "$archive" >"$work/Chart.yaml"
repository=$(helm show values "$archive" | awk '/^image:/ { found = 1 } found && /^  repository:/ { gsub(/"/, "", $2); print $2; exit }')

# The lines of the one annotation: what is indented deeper than its name.
awk '/^  artifacthub.io\/images:/ { inside = 1; next } /^ ? ?[^ ]/ { inside = 0 } inside && $1 == "image:" { print $2 }' \
  "$work/Chart.yaml" >"$work/images"
[ -s "$work/images" ] || { echo "mirror.sh: $chart $version names no images" >&2; exit 1; }

while read -r image; do
  case $image in
  *@sha256:*) ;;
  *) echo "mirror.sh: $image has no digest, so it is no release: nothing says which image it will be tomorrow" >&2; exit 1 ;;
  esac
  # By the tag that the registry wants of a first push; the digest stays the same.
  # shellcheck disable=SC2086
  crane copy $crane_flags "$image" "$mirror/$repository:$version" >&2
done <"$work/images"

# shellcheck disable=SC2086
helm push "$archive" "oci://$mirror/charts" $helm_flags >&2

echo "helm install ngrok-operator oci://$mirror/charts/$(basename "$chart") --namespace ngrok-operator --create-namespace --version $version --set image.registry=$mirror"
