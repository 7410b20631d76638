#!/usr/bin/env bash
# FreeRADIUS with its SQL module and a PostgreSQL of its own in FOLDER, as its documentation sets them up. Prints "ready ADDRESS", and ends both when its
# standard input ends. Anything missing: one line that says what.
set -euo pipefail
folder="$1" secret="$2"
PATH="$PATH:/usr/sbin:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n1)"
for program in freeradius initdb postgres psql; do
    command -v "$program" >/dev/null || { echo "$program is not installed"; exit 0; }
done
conf=/etc/freeradius/3.0
ls /usr/lib/freeradius/rlm_sql_postgresql.so >/dev/null 2>&1 || { echo "freeradius-postgresql is not installed"; exit 0; }
free_port() { python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.'"$1"'); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql_port="$(free_port SOCK_STREAM)" port="$(free_port SOCK_DGRAM)"
mkdir -p "$folder/pg" "$folder/raddb/mods-config/sql/main"
as=()
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$(dirname "$folder")" "$folder"
    chown postgres "$folder/pg"
    as=(runuser -u postgres --)
fi
"${as[@]}" initdb -D "$folder/pg/data" -U radius --auth=trust >"$folder/initdb.log"
"${as[@]}" postgres -D "$folder/pg/data" -p "$sql_port" -k "$folder/pg" -c listen_addresses=127.0.0.1 -c shared_buffers=512MB \
    -c max_wal_size=4GB >"$folder/postgres.log" 2>&1 &
sql=$!
radius=
finish() {
    [ -z "$radius" ] || kill "$radius" 2>/dev/null || true
    # Its own number: a helper that changes the user passes no signal on.
    kill -INT "$(head -n1 "$folder/pg/data/postmaster.pid" 2>/dev/null || echo "$sql")" 2>/dev/null || true
    wait || true
}
trap finish EXIT
until psql -h 127.0.0.1 -p "$sql_port" -U radius -d postgres -qc 'select 1' >/dev/null 2>&1; do kill -0 "$sql" || { echo "postgres ended"; exit 0; }; done
psql -h 127.0.0.1 -p "$sql_port" -U radius -d postgres -q -f "$conf/mods-config/sql/main/postgresql/schema.sql" >"$folder/schema.log" 2>&1
cp -r "$conf/dictionary" "$folder/raddb/" 2>/dev/null || true
cp -r "$conf/mods-config/sql/main/postgresql" "$folder/raddb/mods-config/sql/main/"
cat >"$folder/raddb/radiusd.conf" <<CONF
prefix = /usr
sysconfdir = $folder
logdir = $folder
raddbdir = $folder/raddb
run_dir = $folder
pidfile = $folder/freeradius.pid
max_requests = 65536
max_request_time = 30
cleanup_delay = 1
hostname_lookups = no
log { destination = files
 file = $folder/radius.log }
thread pool { start_servers = 8
 max_servers = 32
 min_spare_servers = 3
 max_spare_servers = 10
 max_queue_size = 65536
 max_requests_per_server = 0 }
client loopback { ipaddr = 127.0.0.1
 secret = "$secret" }
modules {
  expr { }
  sql {
    driver = "rlm_sql_postgresql"
    dialect = "postgresql"
    server = "127.0.0.1"
    port = $sql_port
    login = "radius"
    radius_db = "postgres"
    acct_table1 = "radacct"
    acct_table2 = "radacct"
    postauth_table = "radpostauth"
    authcheck_table = "radcheck"
    groupcheck_table = "radgroupcheck"
    authreply_table = "radreply"
    groupreply_table = "radgroupreply"
    usergroup_table = "radusergroup"
    read_groups = no
    delete_stale_sessions = no
    pool { start = 8
 min = 4
 max = 32
 spare = 4
 uses = 0
 lifetime = 0
 idle_timeout = 60 }
    client_table = "nas"
    group_attribute = "SQL-Group"
    \$INCLUDE \${raddbdir}/mods-config/sql/main/postgresql/queries.conf
  }
}
server default {
  listen { type = acct
 ipaddr = 127.0.0.1
 port = $port }
  # As the policy acct_unique that is shipped: what one session is.
  preacct {
    update request {
      &Acct-Unique-Session-Id := "%{md5:%{User-Name},%{Acct-Session-ID},%{NAS-IP-Address},%{NAS-Identifier},%{NAS-Port}}"
    }
  }
  accounting {
    sql
  }
}
CONF
freeradius -d "$folder/raddb" -f >"$folder/freeradius.out" 2>&1 &
radius=$!
until grep -q "Ready to process requests" "$folder/radius.log" 2>/dev/null; do
    kill -0 "$radius" 2>/dev/null || { echo "freeradius ended: $(tail -n1 "$folder/freeradius.out") $(tail -n1 "$folder/radius.log" 2>/dev/null)"; exit 0; }
done
echo "ready 127.0.0.1:$port"
cat >/dev/null
