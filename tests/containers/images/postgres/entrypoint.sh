#!/bin/sh
# What the image's documentation promises: an empty data folder is filled by a server that listens
# on its socket only, SQL files of /docker-entrypoint-initdb.d run once in it, then it starts anew.
set -eu
install -d -o postgres -g postgres -m 0700 "$PGDATA"
install -d -o postgres -g postgres -m 0775 /var/run/postgresql
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    passwords=$(mktemp)
    printf '%s\n' "${POSTGRES_PASSWORD:?must be set}" > "$passwords"
    chown postgres "$passwords"
    as_postgres initdb --username="$POSTGRES_USER" --pwfile="$passwords" \
        --auth-local=trust --auth-host=scram-sha-256
    rm "$passwords"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    as_postgres pg_ctl --options="-c listen_addresses=''" --wait start
    as_postgres createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ -f "$file" ] || continue
        as_postgres psql --no-psqlrc -v ON_ERROR_STOP=1 --username="$POSTGRES_USER" \
            --dbname="$POSTGRES_DB" --file="$file"
    done
    as_postgres pg_ctl --mode=fast --wait stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
