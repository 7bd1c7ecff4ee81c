"""Stands where kazoo's tests look for `java`, and starts `zabscope serve` instead of Apache's server.

System properties go on as SERVER_JVMFLAGS. The tests make Java's own key stores, which our server
refuses with advice on how to convert them: here that is done.
"""

import base64
import os
import sys
import textwrap

import jks


def pem(kind, der):
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind, "\n".join(lines), kind)


def converted(path, password):
    """The same as PEM, beside it."""
    store = jks.KeyStore.load(path, password)
    text = ""
    for entry in store.private_keys.values():
        text += pem("PRIVATE KEY", entry.pkey_pkcs8)
        text += "".join(pem("CERTIFICATE", certificate) for _, certificate in entry.cert_chain)
    text += "".join(pem("CERTIFICATE", entry.cert) for entry in store.certs.values())
    target = os.path.splitext(path)[0] + ".pem"
    with open(target, "w", encoding="ascii") as file:
        file.write(text)
    return target


def main():
    properties = [argument for argument in sys.argv[1:] if argument.startswith("-D")]
    config = sys.argv[-1]
    with open(config, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    written = []
    for line in lines:
        key, _, value = line.partition("=")
        if key in ("ssl.keyStore.location", "ssl.trustStore.location"):
            password = settings[key.replace("location", "password")]
            line = "%s=%s" % (key, converted(value, password))
        elif key in ("ssl.keyStore.password", "ssl.trustStore.password"):
            continue
        written.append(line)
    ours = os.path.join(os.path.dirname(config), "zabscope.cfg")
    with open(ours, "w", encoding="utf-8") as file:
        file.write("\n".join(written) + "\n")
    # Where kazoo's tests look for it when something fails.
    log = os.path.join(os.path.dirname(config), "zookeeper.log")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ["SERVER_JVMFLAGS"] = " ".join(properties)
    binary = os.environ["ZABSCOPE_BINARY"]
    os.execv(binary, [binary, "serve", ours])


main()
