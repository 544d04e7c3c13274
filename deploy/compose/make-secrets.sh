#!/bin/sh
# Print an .env with fresh secrets: ./make-secrets.sh > .env
# Done once. Afterwards the servers know them, and other ones would lock us out.
set -eu
umask 077
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
for name in DATABASE_PASSWORD BROKER_PASSWORD STORE_PASSWORD; do
    printf '%s=%s\n' "$name" "$(secret)"
done
printf 'RDC_PUBLIC_URL=%s\n' "${1:-http://127.0.0.1:8080}"
