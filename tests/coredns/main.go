// SPDX-License-Identifier: GPL-3.0-or-later

// CoreDNS 1.10.1 as released, with a few of its plugins and the reader of
// zonefan's tables in tests/coredns/reader, under the public plugin's name.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/debug"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/metrics"

	_ "zonefan.test/coredns/reader"
)

func init() {
	dnsserver.Directives = []string{"bind", "debug", "health", "prometheus", "errors", "header", "mysql"}
}

func main() {
	coremain.Run()
}
