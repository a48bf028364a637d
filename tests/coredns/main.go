// SPDX-License-Identifier: GPL-3.0-or-later

// CoreDNS 1.10.1 as released, with three of its plugins and the reader of
// zonefan's tables in tests/coredns/reader, under the public plugin's name.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/debug"
	_ "github.com/coredns/coredns/plugin/errors"

	_ "zonefan.test/coredns/reader"
)

func init() {
	dnsserver.Directives = []string{"bind", "debug", "errors", "mysql"}
}

func main() {
	coremain.Run()
}
