// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// use does everything that can be done with a zone.
func use(z *Zone, names ...string) {
	z.All(func(rr dns.RR) bool {
		if len(names) < 50 {
			names = append(names, rr.Header().Name, "q."+rr.Header().Name)
		}
		return true
	})
	for _, name := range names {
		for _, qtype := range []uint16{0, dns.TypeA, dns.TypeNS, dns.TypeDS, dns.TypeANY, dns.TypeRRSIG, dns.TypeHTTPS, 65535} {
			z.Lookup(name, qtype, false)
			z.Lookup(name, qtype, true)
		}
	}
	_ = z.Size() + z.Len() + int(z.Serial()) + len(z.Origin())
}

// hardZones has zones with everything in them.
func hardZones(t testing.TB) []*Zone {
	t.Helper()
	var zones []*Zone
	for how := none; how <= withOptOut; how++ {
		records := generate("z.example.", 40+int64(how), how)
		if how != none {
			records = readMasterFile(t, "z.example.", sign(t, "z.example.", records, how, "ab", 1))
		}
		z, bad := Build("z.example.", records)
		if z == nil || len(bad) > 0 {
			t.Fatal(bad)
		}
		zones = append(zones, z)
	}
	return zones
}

// TestDamagedZones: Decode refuses damaged bytes, or makes a zone that can be
// used without harm.
func TestDamagedZones(t *testing.T) {
	random := rand.New(rand.NewSource(3))
	refused := 0
	const tries = 400 / slower
	for _, z := range hardZones(t) {
		for range tries {
			damaged, err := Decode("z.example.", damage(random, z.Encode()))
			if err != nil {
				refused++
				continue
			}
			use(damaged, "z.example.", "q.z.example.")
		}
	}
	if refused < tries {
		t.Errorf("only %d of %d are refused", refused, 4*tries)
	}
}

func damage(random *rand.Rand, encoded []byte) []byte {
	damaged := append([]byte(nil), encoded...)
	for range 1 + random.Intn(3) {
		at := random.Intn(len(damaged))
		switch random.Intn(5) {
		case 0:
			damaged[at] ^= 1 << random.Intn(8)
		case 1:
			damaged[at] = byte(random.Intn(256))
		case 2:
			damaged = damaged[:at+1]
		case 3:
			damaged = append(damaged[:at:at], damaged[min(len(damaged), at+1+random.Intn(8)):]...)
		default:
			from := random.Intn(len(damaged))
			copy(damaged[at:], damaged[from:min(len(damaged), from+random.Intn(32))])
		}
		if len(damaged) == 0 {
			return damaged
		}
	}
	return damaged
}

func TestEveryTruncationIsRefused(t *testing.T) {
	encoded := mustBuild(t, "example.com.", small).Encode()
	for n := range encoded {
		if _, err := Decode("example.com.", encoded[:n]); err == nil {
			t.Errorf("the first %d of %d octets are taken for the zone", n, len(encoded))
		}
	}
	if _, err := Decode("example.com.", append(encoded[:len(encoded):len(encoded)], 0)); err == nil {
		t.Error("an octet too many is taken")
	}
	if _, err := Decode("example.org.", encoded); err == nil {
		t.Error("another zone's octets are taken")
	}
}

// TestAnyQuestion asks for names that no zone file has.
func TestAnyQuestion(t *testing.T) {
	random := rand.New(rand.NewSource(4))
	zones := hardZones(t)
	for range 5000 {
		wire := make([]byte, 0, 300)
		for len(wire) < random.Intn(300) {
			label := make([]byte, 1+random.Intn(5))
			random.Read(label)
			wire = append(append(wire, byte(len(label))), label...)
		}
		name, _, err := dns.UnpackDomainName(append(wire, "\x01z\x07example\x00"...), 0)
		if err != nil {
			continue // longer than a name can be
		}
		for _, z := range zones {
			if a := z.Lookup(name, uint16(random.Intn(300)), true); a.Rcode == dns.RcodeRefused {
				t.Fatalf("%s is refused", name)
			}
		}
	}
	for _, name := range []string{"", ".", "z.example", `\`, `a\.z.example.`, "..z.example.", "example."} {
		for _, z := range zones {
			if a := z.Lookup(name, dns.TypeA, true); a.Rcode != dns.RcodeRefused {
				t.Errorf("%q: %s", name, dns.RcodeToString[a.Rcode])
			}
		}
	}
}

// TestTheRoot: every name is below it.
func TestTheRoot(t *testing.T) {
	z := mustBuild(t, ".", `
@ 60 SOA ns.example. host.example. 1 2 3 4 5
@ 60 NS ns.example.
@ 60 DNAME other.
`)
	a := z.Lookup("www.example.", dns.TypeA, false)
	want := ". 60 IN DNAME other.\nwww.example. 60 IN CNAME www.example.other.\nwww.example.other. 60 IN CNAME www.example.other.other."
	if got := section(a.Answer); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("%s", got)
	}
	plain := mustBuild(t, ".", "@ 60 SOA ns.example. host.example. 1 2 3 4 5\nexample 60 NS ns.example.\nns.example 60 A 192.0.2.1\n")
	if a := plain.Lookup("www.example.", dns.TypeA, false); section(a.Additional) != "ns.example. 60 IN A 192.0.2.1" {
		t.Errorf("%v", a)
	}
	if a := plain.Lookup("nope.", dns.TypeA, false); a.Rcode != dns.RcodeNameError {
		t.Errorf("%v", a)
	}
}

// TestBrokenChains: a zone whose proofs are incomplete still answers.
func TestBrokenChains(t *testing.T) {
	const hash = "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
	for name, text := range map[string]string{
		"NSEC without signatures":    "www 60 NSEC example.com. A",
		"a parameter and no chain":   "@ 60 NSEC3PARAM 1 0 1 ab",
		"a chain without the apex":   "@ 60 NSEC3PARAM 1 0 1 ab\n" + hash + " 60 NSEC3 1 0 1 ab " + hash + " A",
		"a chain of other hashes":    "@ 60 NSEC3PARAM 1 0 1 ab\n" + hash + " 60 NSEC3 1 0 2 ab " + hash + " A",
		"a parameter of another sum": "@ 60 NSEC3PARAM 2 0 1 ab\n" + hash + " 60 NSEC3 2 0 1 ab " + hash + " A",
		"NSEC3 at no hash":           "@ 60 NSEC3PARAM 1 0 1 ab\nwww 60 NSEC3 1 0 1 ab " + hash + " A",
	} {
		t.Run(name, func(t *testing.T) {
			z := mustBuild(t, "example.com.", small+text+"\n@ 60 RRSIG SOA 13 2 60 20300101000000 20200101000000 1 example.com. AAAA")
			use(z, "example.com.", "q.example.com.", hash+".example.com.", "q.wild.example.com.")
			if a := z.Lookup("mail.example.com.", dns.TypeA, true); len(a.Answer) != 2 {
				t.Errorf("%v", a)
			}
			if a := z.Lookup("q.example.com.", dns.TypeA, true); a.Rcode != dns.RcodeNameError {
				t.Errorf("%v", a)
			}
		})
	}
}

// TestManyHosts: what one answer costs grows with its records, not with their
// square, and hosts are added as long as they could fit into a message.
func TestManyHosts(t *testing.T) {
	const hosts = 20_000
	records := rows(t, onlySOA)
	for i := range hosts {
		host := fmt.Sprintf("h%d", i)
		records = append(records, Record{"@", "MX", "10 " + strings.ToUpper(host) + ".example.com.", 60}, Record{host, "A", "192.0.2.1", 60},
			Record{"@", "MX", "20 " + host + ".example.com.", 60})
	}
	began := time.Now()
	z, bad := Build("example.com.", records)
	if len(bad) > 0 {
		t.Fatal(bad[0])
	}
	if took := time.Since(began); took > slower*2*time.Second { // the square takes 4 s
		t.Errorf("the zone takes %v", took)
	}
	began = time.Now()
	a := z.Lookup("example.com.", dns.TypeMX, false)
	if took := time.Since(began); took > slower*time.Second { // the square takes 7 s
		t.Errorf("a question takes %v", took)
	}
	if len(a.Answer) != 2*hosts || len(a.Additional) != maxAdditional {
		t.Errorf("%d answers, %d addresses", len(a.Answer), len(a.Additional))
	}
	seen := map[string]bool{}
	for _, rr := range a.Additional {
		owner := strings.ToLower(rr.Header().Name)
		if seen[owner] {
			t.Fatalf("%s twice", owner)
		}
		seen[owner] = true
	}
}

// TestTooManyIterations: no hash is made where no validator would believe it.
func TestTooManyIterations(t *testing.T) {
	const hash, other = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "gt7b4g4vsa5smi47k61mv5bv1a22bojr"
	for iterations, want := range map[int]int{500: 2, 501: 1, 65535: 1} {
		param := fmt.Sprintf("1 0 %d -", iterations)
		z := mustBuild(t, "example.com.", small+"\n@ 60 RRSIG SOA 13 2 60 20300101000000 20200101000000 1 example.com. AAAA\n"+
			"@ 60 NSEC3PARAM "+param+"\n"+hash+" 60 NSEC3 "+param+" "+other+" A\n"+other+" 60 NSEC3 "+param+" "+hash+" A")
		proofs := map[string]bool{}
		for i := range 20 {
			a := z.Lookup(fmt.Sprintf("%d.none.example.com.", i), dns.TypeA, true)
			if a.Rcode != dns.RcodeNameError {
				t.Fatalf("%d iterations: %s", iterations, dns.RcodeToString[a.Rcode])
			}
			n := 0
			for _, rr := range a.Authority {
				if rr.Header().Rrtype == dns.TypeNSEC3 {
					proofs[rr.Header().Name] = true
					n++
				}
			}
			if n == 0 {
				t.Errorf("%d iterations: no NSEC3 tells of them", iterations)
			}
		}
		if len(proofs) != want {
			t.Errorf("%d iterations: the proofs are %v", iterations, proofs)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, z := range hardZones(f) {
		f.Add(z.Encode())
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if z, err := Decode("z.example.", encoded); err == nil {
			use(z, "z.example.", "q.z.example.")
		}
	})
}

func FuzzBuild(f *testing.F) {
	f.Add("www", "A", "192.0.2.1", "q.www.z.example.")
	f.Add(`\000.*`, "HTTPS", `1 . alpn="h2"`, `\001.*.z.example.`)
	f.Add("\xde", "TYPE7", "\f", "0")
	f.Add("@", "TYPE65400", `\# 2 abcd`, ".")
	f.Fuzz(func(t *testing.T, owner, typ, data, question string) {
		soa := Record{"@", "SOA", "ns.z.example. host.z.example. 1 2 3 4 5", 60}
		z, bad := Build("z.example.", []Record{soa, {owner, typ, data, 60}})
		if z == nil {
			if typ, _, _ := parseType(typ); typ != dns.TypeSOA || len(bad) == 0 {
				t.Errorf("no zone: %v", bad)
			}
			return
		}
		if z.Len()+len(bad) != 2 && z.Len() != 1 {
			t.Errorf("%d records, %d bad rows", z.Len(), len(bad))
		}
		use(z, "z.example.", question)
		if _, err := Decode("z.example.", z.Encode()); err != nil {
			t.Error(err)
		}
	})
}

func ExampleBuild() {
	z, bad := Build("example.com.", []Record{
		{Owner: "@", Type: "SOA", Data: "ns.example.com. host.example.com. 1 3600 600 86400 300", TTL: 3600},
		{Owner: "www", Type: "A", Data: "192.0.2.1", TTL: 60},
		{Owner: "www", Type: "A", Data: "192.0.2.256", TTL: 60},
	})
	fmt.Println(z.Len(), len(bad))
	fmt.Println(z.Lookup("www.example.com.", dns.TypeA, false).Answer[0].String())
	// Output:
	// 2 1
	// www.example.com.	60	IN	A	192.0.2.1
}
