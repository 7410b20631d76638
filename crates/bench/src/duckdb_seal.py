"""Sorts the mappings of a truth file by public end and start and writes them as Parquet; prints rows, and seconds of processor time."""
import sys
import time

import duckdb

truth, out = sys.argv[1:3]
db = duckdb.connect()
db.execute("set threads = 1")
db.execute(
    f"create table m as select public, port, protocol, inside, start, \"end\" from read_ndjson('{truth}', columns = "
    "{public: 'varchar', port: 'usmallint', protocol: 'utinyint', inside: 'varchar', start: 'bigint', \"end\": 'bigint', form: 'varchar'}) "
    "where form = 'session' and public is not null and \"end\" is not null"
)
rows = db.execute("select count(*) from m").fetchone()[0]
begun = time.process_time()
db.execute(f"copy (select * from m order by public, port, start) to '{out}' (format parquet, compression zstd)")
print(rows, time.process_time() - begun)
