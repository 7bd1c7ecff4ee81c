"""Stands where kazoo's tests look for `java`, and starts `zabscope serve` instead of Apache's server.

System properties go on as SERVER_JVMFLAGS. Keys and trust are left out: kazoo's tests make X.509
certificates of version 1, which our TLS library refuses; so does a server that is given one.
"""

import os
import sys


def main():
    properties = [argument for argument in sys.argv[1:] if argument.startswith("-D")]
    config = sys.argv[-1]
    with open(config, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    written = [line for line in lines if not line.startswith(("ssl.", "secureClientPort="))]
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
