"""DER by hand: bodies of the right outer shape, derived from a name."""

import hashlib


def tlv(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


def shaped(name, size=900):
    """One SEQUENCE whose octets depend on `name` alone; about `size` octets."""
    seed = name.encode() if isinstance(name, str) else name
    stream = b"".join(hashlib.sha256(seed + index.to_bytes(4, "big")).digest()
                      for index in range(size // 32 + 1))
    return sequence(tlv(0x04, stream[:size]))
