// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aliases has every way in which an alias goes wrong.
const aliases = `
@ 3600 SOA ns1.aliases.example. host.aliases.example. 7 3600 600 86400 300
@ 3600 NS ns1.aliases.example.
ns1 3600 A 192.0.2.1
mail 3600 A 192.0.2.2
*.wild 3600 A 192.0.2.3
loop1 60 CNAME loop2.aliases.example.
loop2 60 CNAME loop1.aliases.example.
self 60 CNAME self.aliases.example.
out 60 CNAME www.example.com.
none 60 CNAME nope.aliases.example.
cut 60 CNAME a.sub.aliases.example.
sub 60 NS ns.sub.aliases.example.
ns.sub 60 A 192.0.2.4
apex 60 CNAME aliases.example.
*.towild 60 CNAME x.wild.aliases.example.
*.toself 60 CNAME y.toself.aliases.example.
old 60 DNAME new.aliases.example.
old 60 A 192.0.2.9
a.new 60 A 192.0.2.8
toold 60 CNAME a.old.aliases.example.
up 60 DNAME aliases.example.
grow 60 DNAME a.grow.aliases.example.
same 60 DNAME same.aliases.example.
away 60 DNAME example.com.
root 60 DNAME .
long 60 DNAME ` + longTarget + `
`

var longLabel = strings.Repeat("x", 60)

const longTarget = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx." +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx." +
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.aliases.example."

// hosts has every way to name a host that has addresses.
const hosts = `
@ 3600 SOA ns1.hosts.example. host.hosts.example. 7 3600 600 86400 300
@ 3600 NS ns1.hosts.example.
@ 3600 NS ns.elsewhere.example.
@ 3600 MX 10 mail.hosts.example.
@ 3600 MX 20 w.wild.hosts.example.
@ 3600 MX 30 alias.hosts.example.
@ 3600 MX 40 in.sub.hosts.example.
ns1 3600 A 192.0.2.1
ns1 3600 AAAA 2001:db8::1
mail 3600 A 192.0.2.2
*.wild 3600 A 192.0.2.3
alias 3600 CNAME mail.hosts.example.
srv 3600 SRV 0 0 1 mail.hosts.example.
https 3600 HTTPS 1 mail.hosts.example. alpn=h2
svcb 3600 SVCB 0 https.hosts.example.
itself 3600 HTTPS 1 . alpn=h2
itself 3600 A 192.0.2.66
naptr 3600 NAPTR 1 1 "a" "" "" mail.hosts.example.
kx 3600 KX 10 mail.hosts.example.
afsdb 3600 AFSDB 1 mail.hosts.example.
ptr 3600 PTR mail.hosts.example.
sub 3600 NS ns.sub.hosts.example.
sub 3600 NS ns1.hosts.example.
sub 3600 NS ns.other.sub2.hosts.example.
sub 3600 NS w.wild.hosts.example.
ns.sub 3600 A 192.0.2.4
in.sub 3600 A 192.0.2.5
deeper.sub 3600 NS ns.deeper.sub.hosts.example.
ns.deeper.sub 3600 A 192.0.2.7
sub2 3600 NS ns.other.sub2.hosts.example.
ns.other.sub2 3600 A 192.0.2.6
sub2 3600 DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
`

const apexDNAME = `
@ 3600 SOA ns1.example.com. host.example.com. 7 3600 600 86400 300
@ 3600 NS ns1.example.com.
@ 600 DNAME example.com.
@ 3600 MX 10 mail.example.com.
`

const apexWildcard = `
@ 3600 SOA ns1.example.com. host.example.com. 7 3600 600 86400 300
@ 3600 NS ns1.example.com.
* 600 A 192.0.2.1
* 600 MX 10 mail.apexwildcard.example.
mail 600 A 192.0.2.2
a.b 600 TXT "x"
`

// chain is longer than an answer may be.
func chain() string {
	var text strings.Builder
	text.WriteString("@ 60 SOA ns1.example.com. host.example.com. 7 3600 600 86400 300\n@ 60 NS ns1.example.com.\n")
	for i := range 12 {
		fmt.Fprintf(&text, "k%d 60 CNAME k%d.chain.example.\n", i, i+1)
		fmt.Fprintf(&text, "*.w%d 60 CNAME x.w%d.chain.example.\n", i, i+1)
	}
	text.WriteString("k12 60 A 192.0.2.1\n*.w12 60 A 192.0.2.2\n")
	return text.String()
}

// TestWrittenZonesAnswerAsKnot has the cases that chance seldom makes, plain and
// signed in each way.
func TestWrittenZonesAnswerAsKnot(t *testing.T) {
	var zones []*oracleZone
	for name, text := range map[string]string{
		"aliases.example.":      aliases,
		"hosts.example.":        hosts,
		"apexdname.example.":    apexDNAME,
		"apexwildcard.example.": apexWildcard,
		"chain.example.":        chain(),
	} {
		for how := none; how <= withOptOut; how++ {
			origin := fmt.Sprintf("s%d.%s", how, name)
			records := rows(t, strings.ReplaceAll(text, name, origin))
			zones = append(zones, oracleOf(t, origin, records, how, "ab", 1))
		}
	}
	compareAll(t, zones)
}

// TestSampleZonesAnswerAsKnot takes the sample zones of the project's tests.
func TestSampleZonesAnswerAsKnot(t *testing.T) {
	files, err := filepath.Glob("../../../tests/data/zones/*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample zones: %v", err)
	}
	var zones []*oracleZone
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		origin, ok := sampleOrigin(string(text))
		if !ok {
			continue
		}
		zones = append(zones, oracleOf(t, origin, readMasterFile(t, origin, string(text)), none, "", 0))
	}
	compareAll(t, zones)
}

// sampleOrigin reads the name from the first line or from the SOA's owner.
func sampleOrigin(text string) (string, bool) {
	for _, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutPrefix(line, "; zone: "); ok {
			return strings.TrimSpace(name) + ".", true
		}
		if fields := strings.Fields(line); len(fields) > 3 && strings.Contains(line, "SOA") {
			return fields[0], strings.HasSuffix(fields[0], ".")
		}
	}
	return "", false
}
