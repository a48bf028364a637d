// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"zonefan.internal/coredns/source"
)

func TestMetrics(t *testing.T) {
	db := newDatabase(t)
	db.put(shop, zoneText(1))
	db.put("other.example.", zoneText(2))
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := serve(t, "prometheus "+address, db.block())
	s.waitAnswer("www."+shop, dns.TypeA, "NOERROR aa [A 192.0.2.1] [] []")
	is := func(name, label, want string) func() bool {
		labels := `database="` + source.Config{DSN: db.dsn(), ZonesTable: "zones"}.Name() + `"`
		if label != "" {
			labels += "," + label
		}
		return func() bool { return value(t, address, "coredns_zonefan_"+name+`\{`+labels+`\}`) == want }
	}
	for _, m := range []struct{ name, label, want string }{
		{"zones", "", "2"}, {"loaded_zones", "", "1"}, {"loaded_records", "", "7"}, {"snapshot_zones", "", "0"},
		{"stale_zones", "", "0"}, {"oldest_stale_seconds", "", "0"}, {"bad_records_total", "", "0"}, {"evictions_total", "", "0"},
		{"loads_total", `from="database"`, "1"}, {"loads_total", `from="snapshot"`, "0"},
		{"errors_total", `kind="poll"`, "0"}, {"errors_total", `kind="load"`, "0"}, {"errors_total", `kind="snapshot"`, "0"},
	} {
		waitFor(t, fmt.Sprintf("%s{%s} is %s", m.name, m.label, m.want), is(m.name, m.label, m.want))
	}
	above := func(name, label string, bound float64) func() bool {
		return func() bool {
			number, err := strconv.ParseFloat(value(t, address, "coredns_zonefan_"+name+`\{[^}]*`+label+`\}`), 64)
			return err == nil && number > bound
		}
	}
	waitFor(t, "memory is counted", above("memory_bytes", "", 500))
	db.put(shop, zoneText(3)+"\nbad 300 A no.address")
	waitFor(t, "the bad row is counted", is("bad_records_total", "", "1"))
	db.Kill()
	waitFor(t, "polls fail", above("errors_total", `kind="poll"`, 0))
	waitFor(t, "the last refresh gets older", above("refresh_age_seconds", "", 0.5))
}

// Whoever reads README.md finds every metric there.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range metrics {
		name := strings.Split(m.desc.String(), `"`)[1]
		if !strings.Contains(string(text), "`"+strings.TrimPrefix(name, "coredns_zonefan_")+"`") {
			t.Errorf("%s is not in README.md", name)
		}
	}
}
