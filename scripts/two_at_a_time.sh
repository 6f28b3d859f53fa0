# To be sourced. two_at_a_time KIND 'NAME|COMMAND' ... runs the commands, and prints the output of those that fail.

two_at_a_time() {
  export kind=$1 logs
  shift
  logs=$(mktemp -d)
  trap 'rm -rf "$logs"' EXIT
  printf '%s\0' "$@" | xargs -0 -n 1 -P 2 bash -c 'run_logged "$0"'
}

run_logged() {
  local name=${1%%|*} command=${1#*|} start=$SECONDS counted
  if ! $command >"$logs/$name" 2>&1; then
    echo "$kind: $name fails:"
    cat "$logs/$name"
    return 1
  fi
  counted=$(grep --only-matching '[0-9][0-9]* passed.*' "$logs/$name" | tail -n 1 || true)
  echo "$kind: $name is green after $((SECONDS - start)) s${counted:+: $counted}"
}
export -f run_logged
