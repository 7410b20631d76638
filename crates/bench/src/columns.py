"""The mappings of a truth file in DuckDB or chDB, on one thread.

columns.py duckdb|chdb seal TRUTH OUT: sorts them by public end and start, writes them as Parquet; prints rows, and seconds of processor time.
columns.py duckdb|chdb lookup TRUTH FOLDER QUESTIONS: a table of them in that order; asks each question; prints rows, bytes on disk, how many
questions had the one right answer, and milliseconds of each question.
"""
import json
import os
import sys
import time

COLUMNS = "public, port, protocol, inside, start, \"end\""
MEANT = "exporter = 'cgn-a' and form = 'session' and public is not null and \"end\" is not null"
SKEW_MS = 2000


class Duckdb:
    def __init__(self, folder):
        import duckdb

        self.db = duckdb.connect(os.path.join(folder, "duckdb") if folder else ":memory:")
        self.db.execute("set threads = 1")

    def load(self, truth, order):
        self.db.execute(
            f"create table m as select {COLUMNS} from read_ndjson('{truth}', columns = {{public: 'varchar', port: 'usmallint', "
            "protocol: 'utinyint', inside: 'varchar', start: 'bigint', \"end\": 'bigint', form: 'varchar', exporter: 'varchar'}) "
            f"where {MEANT} {order}"
        )
        self.db.execute("checkpoint")
        return self.db.execute("select count(*) from m").fetchone()[0]

    def write(self, out):
        self.db.execute(f"copy (select * from m order by public, port, start) to '{out}' (format parquet, compression zstd)")

    def ask(self, where):
        return [row[0] for row in self.db.execute(f"select distinct inside from m where {where}").fetchall()]


class Chdb:
    def __init__(self, folder):
        from chdb import session

        self.db = session.Session(os.path.join(folder, "chdb")) if folder else session.Session()
        self.db.query("set max_threads = 1")

    def load(self, truth, order):
        self.db.query("create database if not exists w")
        shape = "public String, port UInt16, protocol UInt8, inside String, start Int64, \"end\" Int64"
        kept = "MergeTree order by (public, port, start)" if order else "Memory"
        self.db.query(f"create table w.m ({shape}) engine = {kept}")
        told = "public Nullable(String), port UInt16, protocol UInt8, inside String, start Int64, \"end\" Nullable(Int64), form String, exporter String"
        self.db.query(
            f"insert into w.m select {COLUMNS} from file('{truth}', 'JSONEachRow', '{told}') where {MEANT} "
            "settings max_threads = 1, input_format_skip_unknown_fields = 1, input_format_null_as_default = 1"
        )
        if order:
            self.db.query("optimize table w.m final")
        return int(str(self.db.query("select count() from w.m")).strip())

    def write(self, out):
        self.db.query(
            f"insert into function file('{out}', 'Parquet') select * from w.m order by public, port, start "
            "settings max_threads = 1, output_format_parquet_compression_method = 'zstd'"
        )

    def ask(self, where):
        return str(self.db.query(f"select distinct inside from w.m where {where} settings max_threads = 1", "TSV")).split()


def seal(engine, truth, out):
    db = engine(None)
    rows = db.load(truth, "")
    begun = time.process_time()
    db.write(out)
    print(rows, time.process_time() - begun)


def lookup(engine, truth, folder, questions):
    db = engine(folder)
    rows = db.load(truth, "order by public, port, start")
    took, right = [], 0
    for line in open(questions):
        q = json.loads(line)
        where = (
            f"public = '{q['public']}' and port = {q['port']} and protocol = {q['protocol']} "
            f"and start <= {q['at'] + SKEW_MS} and \"end\" >= {q['at'] - SKEW_MS}"
        )
        begun = time.perf_counter()
        found = db.ask(where)
        took.append(1e3 * (time.perf_counter() - begun))
        right += found == [q["inside"]]
    held = sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)
    print(rows, held, right, *took)


def main():
    name, what, *rest = sys.argv[1:]
    engine = {"duckdb": Duckdb, "chdb": Chdb}[name]
    {"seal": seal, "lookup": lookup}[what](engine, *rest)


main()
