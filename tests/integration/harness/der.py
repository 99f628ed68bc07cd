"""DER by hand: well-formed CRLs and certificates of nobody, derived from a name."""

import hashlib


def tlv(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


# ecdsa-with-SHA256; its signature is not looked at while nobody known has the issuer's name.
ALGORITHM = sequence(tlv(0x06, bytes.fromhex("2a8648ce3d040302")))
P256_KEY = sequence(sequence(tlv(0x06, bytes.fromhex("2a8648ce3d0201")),
                             tlv(0x06, bytes.fromhex("2a8648ce3d030107"))),
                    tlv(0x03, b"\0\4" + bytes(64)))
LONG_AGO, FAR_AHEAD = (tlv(0x18, text) for text in (b"20200101000000Z", b"20991231235959Z"))


def octets_of(name, size):
    """`size` octets that depend on `name` alone."""
    seed = name.encode() if isinstance(name, str) else name
    stream = b"".join(hashlib.sha256(seed + index.to_bytes(4, "big")).digest()
                      for index in range(size // 32 + 1))
    return stream[:size]


def name_of(common_name):
    return sequence(tlv(0x31, sequence(tlv(0x06, b"\x55\x04\x03"),
                                       tlv(0x0c, common_name.encode()))))


def signed(tbs, name, size):
    """About `size` octets together: what the signature's place holds makes up the rest."""
    rest = max(8, size - len(tbs) - len(ALGORITHM) - 12)
    return sequence(tbs, ALGORITHM, tlv(0x03, b"\0" + octets_of(name, rest)))


def shaped(name, size=900):
    """A CRL without entries, signed by nobody, whose octets depend on `name` alone."""
    tbs = sequence(tlv(0x02, b"\1"), ALGORITHM, name_of("Nobody"), LONG_AGO)
    return signed(tbs, name, size)


def shaped_certificate(name, size=900):
    """A certificate signed by nobody, whose octets depend on `name` alone."""
    tbs = sequence(tlv(0x02, b"\1"), ALGORITHM, name_of("Nobody"),
                   sequence(LONG_AGO, FAR_AHEAD), name_of("Anybody"), P256_KEY)
    return signed(tbs, name, size)
