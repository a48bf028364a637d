// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// signing tells how a zone is signed; none signs nothing.
type signing int

const (
	none signing = iota
	withNSEC
	withNSEC3
	withOptOut
)

// masterFile writes rows as a zone file.
func masterFile(origin string, records []Record) string {
	var out strings.Builder
	fmt.Fprintf(&out, "$ORIGIN %s\n", origin)
	for _, r := range records {
		fmt.Fprintf(&out, "%s\t%d\tIN\t%s\t%s\n", r.Owner, r.TTL, r.Type, r.Data)
	}
	return out.String()
}

// sign gives the text of a zone signed by BIND's dnssec-signzone.
func sign(t testing.TB, origin string, records []Record, how signing, salt string, iterations int) string {
	t.Helper()
	dir := t.TempDir()
	keygen := program(t, "dnssec-keygen", "bind9")
	run(t, keygen, "-q", "-K", dir, "-a", "ECDSAP256SHA256", "-f", "KSK", origin)
	run(t, keygen, "-q", "-K", dir, "-a", "ECDSAP256SHA256", origin)
	plain, signed := filepath.Join(dir, "plain"), filepath.Join(dir, "signed")
	if err := os.WriteFile(plain, []byte(masterFile(origin, records)), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-q", "-P", "-S", "-x", "-K", dir, "-d", dir, "-o", origin, "-f", signed}
	if how != withNSEC {
		arguments = append(arguments, "-3", salt, "-H", fmt.Sprint(iterations))
	}
	if how == withOptOut {
		arguments = append(arguments, "-A")
	}
	run(t, program(t, "dnssec-signzone", "bind9"), append(arguments, plain)...)
	text, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func run(t testing.TB, binary string, arguments ...string) {
	t.Helper()
	output, err := exec.Command(binary, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", binary, arguments, err, output)
	}
}

// readMasterFile gives a zone file as rows of the records table.
func readMasterFile(t testing.TB, origin, text string) []Record {
	t.Helper()
	var records []Record
	parser := dns.NewZoneParser(strings.NewReader(text), origin, "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		header := rr.Header()
		owner := strings.TrimSuffix(header.Name, "."+origin)
		if strings.EqualFold(header.Name, origin) {
			owner = "@"
		}
		data := strings.TrimPrefix(rr.String(), header.String())
		if unknown, ok := rr.(*dns.RFC3597); ok {
			data = fmt.Sprintf(`\# %d %s`, len(unknown.Rdata)/2, unknown.Rdata)
		}
		records = append(records, Record{
			Owner: owner,
			TTL:   header.Ttl,
			Type:  dns.Type(header.Rrtype).String(),
			Data:  data,
		})
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}
