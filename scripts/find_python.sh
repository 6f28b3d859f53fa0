# Sourced: prints the first Python of at least this version, find_python "3, 11"; nothing where there is none.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c "import sys; sys.exit(sys.version_info < ($1))" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}
