# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for servers of tests: an authority, another one, and for the host localhost what is good and what is not."""
import os
import ssl
import subprocess

SCRIPT = """set -e
for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$ca -addext \
    basicConstraints=critical,CA:TRUE -keyout $ca.key -out $ca.pem; done
make() {
    openssl req -newkey rsa:2048 -nodes -subj /CN=$2 -keyout $1.key -out $1.csr
    printf "subjectAltName=DNS:$2\\n" >$1.ext
    faketime -f "$3" openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem
    chmod 644 $1.key
}
make good localhost +0d; make expired localhost -10d; make stranger other.example +0d; make next localhost +0d"""


def make(folder):
    """NAME.pem and NAME.key of good, expired, stranger, next, all signed by ca.pem; and other.pem, which signed nothing."""
    os.makedirs(folder)
    subprocess.run(["sh", "-c", SCRIPT], cwd=folder, check=True, capture_output=True)
    return folder


def trusting(folder, authority="ca", version=None):
    """A client's context: that authority alone, and the name is looked at."""
    context = ssl.create_default_context(cafile=os.path.join(folder, authority + ".pem"))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def hello(port, *options):
    """openssl's own client, which would take anything; what it says of it."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cipher", "ALL:@SECLEVEL=0", *options],
                          input="", capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr
