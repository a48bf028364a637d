// SPDX-License-Identifier: Apache-2.0

// Command coredns is CoreDNS with the plugin zonefan and the few others that a
// server of authoritative zones needs.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/any"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/transfer"

	_ "zonefan.internal/coredns/zonefan"
)

// The order in which plugins see a query, as CoreDNS's own plugin.cfg has it;
// zonefan stands where its file plugin would, and before that one.
var directives = []string{
	"reload",
	"bind",
	"ready",
	"health",
	"prometheus",
	"errors",
	"log",
	"any",
	"cache",
	"header",
	"template",
	"transfer",
	"zonefan",
	"file",
	"loop",
}

func main() {
	dnsserver.Directives = directives
	coremain.Run()
}
