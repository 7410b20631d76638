# Reads encrypted unit files with the key alone and prints, for each, the SHA-256 of its rows in canonical bytes.
# Input lines: path, key (hex), kind code, kind version, then name:type:nullable for every field, separated by spaces.
import hashlib, struct, sys
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

NUMBERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q", "time": ">q"}

def encode(kind, value):
    if kind in NUMBERS:
        return struct.pack(NUMBERS[kind], value)
    if kind in ("id128", "address"):
        return value
    data = value.encode() if kind == "text" else value
    return struct.pack(">I", len(data)) + data

for line in sys.stdin:
    path, key, code, version, *fields = line.split()
    properties = pe.create_decryption_properties(footer_key=bytes.fromhex(key))
    table = pq.ParquetFile(path, decryption_properties=properties).read()
    fields = [field.split(":") for field in fields]
    assert table.column_names == [name for name, _, _ in fields], table.column_names
    columns = []
    for name, kind, nullable in fields:
        column = table[name].cast("int64") if kind == "time" else table[name]
        columns.append((kind, nullable == "1", column.to_pylist()))
    digest = hashlib.sha256()
    for row in range(table.num_rows):
        digest.update(struct.pack(">HB", int(code), int(version)))
        for kind, nullable, values in columns:
            value = values[row]
            if nullable:
                digest.update(b"\x00" if value is None else b"\x01")
            if value is not None:
                digest.update(encode(kind, value))
    print(digest.hexdigest())
