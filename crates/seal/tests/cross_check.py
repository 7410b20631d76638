"""Recomputes, with the standard library alone and from the written formats, what the Rust test wrote into a folder.

Usage: python3 cross_check.py FOLDER

The folder holds `expected` (lines of "name value"), `entries/<n>` (one log entry a file), the log itself below `tile/`, `file` with
`file.digests`, and `rows`. Prints "agreed" and a count, or stops with what differs.
"""

import base64
import hashlib
import hmac
import os
import struct
import sys

CHECKS = 0


def same(got, want, what):
    global CHECKS
    CHECKS += 1
    if got != want:
        sys.exit(f"{what}: computed {got!r}, Rust wrote {want!r}")


# --- hashes ---------------------------------------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def rotl(x, n):
    n %= 32
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def sm3(data):
    """GB/T 32905-2016."""
    length = len(data) * 8
    data = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack(">Q", length)
    state = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    p0 = lambda x: x ^ rotl(x, 9) ^ rotl(x, 17)
    p1 = lambda x: x ^ rotl(x, 15) ^ rotl(x, 23)
    consts = [rotl(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64)]
    for at in range(0, len(data), 64):
        w = list(struct.unpack(">16I", data[at : at + 64]))
        for j in range(16, 68):
            w.append(p1(w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)) ^ rotl(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            ss1 = rotl((rotl(a, 12) + e + consts[j]) & 0xFFFFFFFF, 7)
            ss2 = ss1 ^ rotl(a, 12)
            ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
            gg = e ^ f ^ g if j < 16 else (e & f) | (~e & g & 0xFFFFFFFF)
            tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = tt1, a, rotl(b, 9), c, p0(tt2), e, rotl(f, 19), g
        state = [x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return struct.pack(">8I", *state)


def mth(leaves, digest=sha256):
    """The Merkle tree hash of RFC 6962 section 2.1 over leaf hashes."""
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return digest(b"\x01" + mth(leaves[:k], digest) + mth(leaves[k:], digest))


def broad(level):
    """The tree over rows: eight children to a node, a single one goes up as it is."""
    if not level:
        return sha256(b"")
    while len(level) > 1:
        groups = [level[i : i + 8] for i in range(0, len(level), 8)]
        level = [sha256(b"\x01" + b"".join(group)) if len(group) > 1 else group[0] for group in groups]
    return level[0]


# --- AES-256 (FIPS 197) and HKDF (RFC 5869), for the salts ----------------------------------------------------------------------


def xtime(a):
    return ((a << 1) ^ 0x11B) & 0xFF if a & 0x80 else a << 1


def gmul(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        a, b = xtime(a), b >> 1
    return out


def make_sbox():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if gmul(x, y) == 1), 0)
        value = 0x63
        for shift in range(5):
            value ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box.append(value)
    return box


SBOX = make_sbox()


def aes256_keys(key):
    words = [key[i : i + 4] for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = words[i - 1]
        if i % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ rcon]) + word[1:]
            rcon = xtime(rcon)
        elif i % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[i - 8], word)))
    return [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]


def aes256(keys, block):
    state = bytes(a ^ b for a, b in zip(block, keys[0]))
    for number in range(1, 15):
        state = bytes(SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))
        if number < 14:
            mixed = []
            for c in range(0, 16, 4):
                col = state[c : c + 4]
                for i in range(4):
                    mixed.append(xtime(col[i]) ^ xtime(col[(i + 1) % 4]) ^ col[(i + 1) % 4] ^ col[(i + 2) % 4] ^ col[(i + 3) % 4])
            state = bytes(mixed)
        state = bytes(a ^ b for a, b in zip(state, keys[number]))
    return state


def salts(day_key, unit, rows):
    prk = hmac.new(bytes(32), day_key, hashlib.sha256).digest()
    salt_key = hmac.new(prk, b"weir/salt/v2" + unit + b"\x01", hashlib.sha256).digest()
    keys = aes256_keys(salt_key)
    for row in range(rows):
        head = bytes(4) + struct.pack(">Q", row // 256)
        yield aes256(keys, head + struct.pack(">I", 2 + row % 256))[1:]


# --- the four checks ------------------------------------------------------------------------------------------------------------


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def tile_name(kind, index, width):
    digits = f"{index:03d}"
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + g for g in groups[:-1]] + groups[-1:])
    return f"tile/{kind}/{name}" + ("" if width == 256 else f".p/{width}")


def check_log(folder, expected):
    size = int(expected["size"])
    entries = [read(folder, "entries", str(i)) for i in range(size)]
    leaves = [sha256(b"\x00" + entry) for entry in entries]
    same(mth(leaves).hex(), expected["root"], "root of the log")
    for index in range(0, (size + 255) // 256):
        part = entries[index * 256 : (index + 1) * 256]
        bundle = b"".join(struct.pack(">H", len(entry)) + entry for entry in part)
        name = tile_name("entries", index, len(part))
        same(bundle, read(folder, name), name)
    level, span = 0, 1
    while size // span:
        nodes = [mth(leaves[i * span : (i + 1) * span]) for i in range(size // span)]
        for index in range(0, (len(nodes) + 255) // 256):
            part = nodes[index * 256 : (index + 1) * 256]
            name = tile_name(level, index, len(part))
            same(b"".join(part), read(folder, name), name)
        level, span = level + 1, span * 256
    text = f"{expected['origin']}\n{size}\n{base64.b64encode(mth(leaves)).decode()}\n"
    note = read(folder, "checkpoint").decode()
    same(note.split("\n\n")[0] + "\n", text, "text of the checkpoint")
    name, key_id, key = expected["vkey"].split("+", 2)
    want_id = sha256(name.encode() + b"\n" + base64.b64decode(key))[:4]
    same(want_id.hex(), key_id, "id of the log's key")
    line = note.split("\n\n")[1].split(" ")
    same((line[0], line[1], base64.b64decode(line[2])[:4]), ("\u2014", name, want_id), "signature line")


def check_file(folder, expected):
    data = read(folder, "file")
    blocks = [b"\x00" + data[i : i + 65536] for i in range(0, len(data), 65536)]
    leaves, leaves_sm3 = [sha256(b) for b in blocks], [sm3(b) for b in blocks]
    same(mth(leaves).hex(), expected["file-root"], "root of the file")
    same(mth(leaves_sm3, sm3).hex(), expected["file-root-sm3"], "SM3 root of the file")
    head = b"weirdgst" + bytes([1, 1, 0, 0]) + struct.pack(">IQ", 65536, len(data))
    same(head + b"".join(leaves + leaves_sm3), read(folder, "file.digests"), "sidecar")


def check_rows(folder, expected):
    rows, width = read(folder, "rows"), int(expected["row-len"])
    rows = [rows[i : i + width] for i in range(0, len(rows), width)]
    day_key, unit = bytes.fromhex(expected["day-key"]), bytes.fromhex(expected["unit"])
    found = list(salts(day_key, unit, len(rows)))
    for number in ("0", "255", "256"):
        same(found[int(number)].hex(), expected["salt-" + number], "salt of row " + number)
    leaves = [sha256(b"\x00" + salt + row) for salt, row in zip(found, rows)]
    same(broad(leaves).hex(), expected["rows-root"], "root of the rows")


def main():
    folder = sys.argv[1]
    expected = dict(line.split(" ", 1) for line in read(folder, "expected").decode().splitlines())
    same(sm3(b"abc").hex(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", "SM3 itself")
    vector = aes256(aes256_keys(bytes(range(32))), bytes.fromhex("00112233445566778899aabbccddeeff"))
    same(vector.hex(), "8ea2b7ca516745bfeafc49904b496089", "AES-256 itself")
    check_log(folder, expected)
    check_file(folder, expected)
    check_rows(folder, expected)
    print(f"agreed in {CHECKS} places")


main()
