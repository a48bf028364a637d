// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"

	"zonefan.internal/coredns/source"
)

const goodDSN = "reader:secret@tcp(127.0.0.1:3306)/coredns"

// read parses a block whose first line stands in line 1 of Testfile.
func read(text string) (*Zonefan, error) {
	c := caddy.NewTestController("dns", text)
	c.ServerBlockKeys = []string{"dns://.:53"}
	return parse(c)
}

func TestTheShortestBlock(t *testing.T) {
	z, err := read("zonefan {\n dsn " + goodDSN + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	want := source.Config{DSN: goodDSN, ZonesTable: "zones", RecordsTable: "records", StateTable: "zonefan_state"}
	if z.config.Source != want {
		t.Errorf("source: %+v", z.config.Source)
	}
	if z.config.Refresh != time.Second || z.config.MaxMemory != 512<<20 || z.config.Snapshot != "" {
		t.Errorf("refresh %v, max_memory %v, snapshot %q", z.config.Refresh, z.config.MaxMemory, z.config.Snapshot)
	}
	if !reflect.DeepEqual([]string(z.origins), []string{"."}) || z.fall.Through("www.example.") {
		t.Errorf("origins %v, fallthrough %v", z.origins, z.fall)
	}
}

func TestEveryKey(t *testing.T) {
	folder := t.TempDir()
	secret := filepath.Join(folder, "dsn")
	if err := os.WriteFile(secret, []byte("\n  "+goodDSN+" \n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	z, err := read(fmt.Sprintf(`zonefan Example.com 10.in-addr.arpa {
		dsn_file %s
		refresh 250ms
		max_memory 2GiB
		snapshot %s/zones.snapshot
		zones_table z
		records_table other.r
		state_table s
		fallthrough sub.example.com
	}`, secret, folder))
	if err != nil {
		t.Fatal(err)
	}
	want := source.Config{DSN: goodDSN, ZonesTable: "z", RecordsTable: "other.r", StateTable: "s"}
	if z.config.Source != want {
		t.Errorf("source: %+v", z.config.Source)
	}
	if z.config.Refresh != 250*time.Millisecond || z.config.MaxMemory != 2<<30 {
		t.Errorf("refresh %v, max_memory %v", z.config.Refresh, z.config.MaxMemory)
	}
	if z.config.Snapshot != folder+"/zones.snapshot" {
		t.Errorf("snapshot %s", z.config.Snapshot)
	}
	if !reflect.DeepEqual([]string(z.origins), []string{"example.com.", "10.in-addr.arpa."}) {
		t.Errorf("origins %v", z.origins)
	}
	if !z.fall.Through("x.sub.example.com.") || z.fall.Through("www.example.com.") {
		t.Errorf("fallthrough %v", z.fall)
	}
}

func TestFallthroughWithoutZonesIsForAll(t *testing.T) {
	z, err := read("zonefan {\n dsn " + goodDSN + "\n fallthrough\n}")
	if err != nil || !z.fall.Through("any.name.") {
		t.Fatalf("fallthrough %v, error %v", z, err)
	}
}

func TestARelativeSnapshotIsNamedInFull(t *testing.T) {
	z, err := read("zonefan {\n dsn " + goodDSN + "\n snapshot zones.snapshot\n}")
	if err != nil || !filepath.IsAbs(z.config.Snapshot) {
		t.Fatalf("%+v, %v", z, err)
	}
}

// Each error names file, line and key, and what is wrong; none tells a password.
func TestErrorsNameFileLineAndKey(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	badFile := filepath.Join(t.TempDir(), "bad")
	for path, text := range map[string]string{empty: " \n", badFile: "reader:secret@nowhere"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := "\n dsn " + goodDSN + "\n "
	for _, c := range []struct{ block, where, what string }{
		{"zonefan", "Testfile:1: zonefan:", "dsn or dsn_file is needed"},
		{"zonefan {\n refresh 1s\n}", "Testfile:1: zonefan:", "dsn or dsn_file is needed"},
		{"zonefan {" + good + "frobnicate yes\n}", "Testfile:3: frobnicate:", "no such key"},
		{"zonefan {" + good + "dsn x\n}", "Testfile:3: dsn:", "twice, first in line 2"},
		{"zonefan {" + good + "dsn_file " + empty + "\n}", "Testfile:3: dsn_file:", "is empty"},
		{"zonefan {" + good + "dsn_file /none/at/all\n}", "Testfile:3: dsn_file:", "/none/at/all"},
		{"zonefan {" + good + "dsn_file " + badFile + "\n}", "Testfile:3: dsn_file:", badFile},
		{"zonefan {\n dsn\n}", "Testfile:2: dsn:", "wants one argument, not 0"},
		{"zonefan {\n dsn reader secret\n}", "Testfile:2: dsn:", "wants one argument, not 2"},
		{"zonefan {\n dsn reader:secret@nowhere\n}", "Testfile:2: dsn:", ""},
		{"zonefan {" + good + "refresh soon\n}", "Testfile:3: refresh:", `"soon" is no duration`},
		{"zonefan {" + good + "refresh 1\n}", "Testfile:3: refresh:", `"1" is no duration`},
		{"zonefan {" + good + "refresh 0s\n}", "Testfile:3: refresh:", "not between 100ms and 1h"},
		{"zonefan {" + good + "refresh 25h\n}", "Testfile:3: refresh:", "not between 100ms and 1h"},
		{"zonefan {" + good + "max_memory lots\n}", "Testfile:3: max_memory:", `"lots" is no size`},
		{"zonefan {" + good + "max_memory -1\n}", "Testfile:3: max_memory:", `"-1" is no size`},
		{"zonefan {" + good + "max_memory 10kB\n}", "Testfile:3: max_memory:", "less than 1MiB"},
		{"zonefan {" + good + "snapshot\n}", "Testfile:3: snapshot:", "wants one argument"},
		{"zonefan {" + good + "zones_table zo`nes\n}", "Testfile:3: zones_table:", "zo`nes"},
		{"zonefan {" + good + "records_table a.b.c\n}", "Testfile:3: records_table:", "a.b.c"},
		{"zonefan {" + good + "state_table x;y\n}", "Testfile:3: state_table:", "x;y"},
		{"zonefan {" + good + "}\nzonefan {" + good + "}", "Testfile:4: zonefan:", "twice in one server block"},
	} {
		_, err := read(c.block)
		if err == nil {
			t.Errorf("accepted: %s", c.block)
			continue
		}
		if !strings.Contains(err.Error(), c.where) || !strings.Contains(err.Error(), c.what) {
			t.Errorf("%s\nsays %q, wanted %q and %q", c.block, err, c.where, c.what)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("tells the password: %v", err)
		}
	}
}

// dsn_file may come first, and dsn is then the one too many.
func TestDSNGivenInTwoWays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte(goodDSN), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := read("zonefan {\n dsn_file " + file + "\n dsn " + goodDSN + "\n}")
	if err == nil || !strings.Contains(err.Error(), "Testfile:2: dsn_file: dsn is given, too") {
		t.Fatal(err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1048576": 1 << 20, "1048576B": 1 << 20, "512MiB": 512 << 20, "512M": 512 << 20, "2G": 2 << 30,
		"3KiB": 3 << 10, "5MB": 5e6, "7kB": 7e3, "1GB": 1e9, "0": 0, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "1.5GiB", "1TiB", "1 MiB", "+1", "9223372036854775808", "8589934592GiB", "1mib"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestTwoDatabasesDoNotShareASnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zones.snapshot")
	block := func(database string) string {
		text, _ := corefile(t, "zonefan {\n dsn reader:secret@tcp(127.0.0.1:1)/"+database+"\n snapshot "+path+"\n }")
		return text
	}
	instance, err := caddy.Start(input(block("one") + block("other")))
	if err == nil {
		instance.ShutdownCallbacks()
		instance.Stop()
		t.Fatal("it was taken")
	}
	want := "Corefile:14: snapshot: " + path + " is given for another database already, 127.0.0.1:1/one"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("it says %q, wanted %q", err, want)
	}
}
