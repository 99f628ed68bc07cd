"""Writes and takes apart DER for the scripts that make test data. Not strict: it makes what is
malformed, too."""

import subprocess


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def octets(*parts):
    return tlv(0x04, *parts)


def bits(content):
    return tlv(0x03, b"\0" + content)


def integer(number):
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def explicit(number, *parts):
    return tlv(0xA0 | number, *parts)


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = b""
    for arc in [first * 40 + second] + rest:
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.insert(0, 0x80 | arc & 0x7F)
        content += bytes(group)
    return tlv(0x06, content)


def generalized_time(moment):
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def extension(name, value, critical=None):
    """`critical` None leaves the BOOLEAN out; False writes it, which DER forbids."""
    flag = b"" if critical is None else tlv(0x01, b"\xff" if critical else b"\0")
    return seq(oid(name), flag, octets(value))


def elements(der):
    """The elements of `der`, one after another, each with its tag and length."""
    found = []
    while der:
        size, header = der[1], 2
        if size >= 0x80:
            header += size & 0x7F
            size = int.from_bytes(der[2:header], "big")
        found.append(der[:header + size])
        der = der[header + size:]
    return found


def content(element):
    header = 2 + (element[1] & 0x7F if element[1] >= 0x80 else 0)
    return element[header:]


def openssl(*arguments, stdin=None):
    """Standard output of the openssl command."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"openssl {arguments}: {done.stderr.decode()}")
    return done.stdout


def signature(key, message, digest="sha256"):
    return openssl("dgst", f"-{digest}", "-sign", key, stdin=message)
