// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"bytes"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

var exampleOrigin = []byte("\x07example\x03com\x00")

// randomName gives labels of octets that are special somewhere.
func randomName(random *rand.Rand) [][]byte {
	octets := []byte("\x00\x01\x02.\\*ab-\xff")
	name := make([][]byte, random.Intn(5))
	for i := range name {
		label := make([]byte, 1+random.Intn(3))
		for k := range label {
			label[k] = octets[random.Intn(len(octets))]
		}
		name[i] = label
	}
	return name
}

func wireOf(name [][]byte) []byte {
	var wire []byte
	for _, label := range name {
		wire = append(append(wire, byte(len(label))), label...)
	}
	return append(wire, exampleOrigin...)
}

// compareCanonical is RFC 4034 6.1 word by word: labels from the right, each as
// octets, a missing one first.
func compareCanonical(a, b [][]byte) int {
	for i := 1; i <= len(a) && i <= len(b); i++ {
		if order := bytes.Compare(a[len(a)-i], b[len(b)-i]); order != 0 {
			return order
		}
	}
	return len(a) - len(b)
}

func TestCanonicalOrder(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for range 20000 {
		a, b := randomName(random), randomName(random)
		keyA, _ := appendKey(nil, wireOf(a), exampleOrigin)
		keyB, _ := appendKey(nil, wireOf(b), exampleOrigin)
		if signOf(compareCanonical(a, b)) != bytes.Compare(keyA, keyB) {
			t.Fatalf("%q and %q: keys %q and %q", a, b, keyA, keyB)
		}
		below := len(a) >= len(b) && slices.EqualFunc(a[len(a)-min(len(a), len(b)):], b, bytes.Equal)
		if bytes.HasPrefix(keyA, keyB) != below {
			t.Fatalf("%q below %q: %v", a, b, !below)
		}
	}
}

func signOf(n int) int {
	return max(-1, min(1, n))
}

func TestKeysBackAndForth(t *testing.T) {
	random := rand.New(rand.NewSource(2))
	for range 20000 {
		name := randomName(random)
		key, ok := appendKey(nil, wireOf(name), exampleOrigin)
		if !ok || checkKey(key, exampleOrigin) != nil {
			t.Fatalf("%q: no key, or %v", name, checkKey(key, exampleOrigin))
		}
		if wire := appendWire(nil, key, exampleOrigin); !bytes.Equal(wire, wireOf(name)) {
			t.Fatalf("%q comes back as %q", wireOf(name), wire)
		}
		if len(name) > 0 {
			parent, _ := appendKey(nil, wireOf(name[1:]), exampleOrigin)
			if !bytes.Equal(parentKey(key), parent) || !bytes.Equal(childKey(key, parent), key) {
				t.Fatalf("%q: parent %q", key, parentKey(key))
			}
		}
	}
}

func TestCommonKey(t *testing.T) {
	for _, c := range [][3]string{
		{"a\x00", "b\x00", ""},
		{"a\x00", "ab\x00", ""},
		{"a\x00b\x00", "a\x00c\x00", "a\x00"},
		{"a\x00b\x00", "a\x00", "a\x00"},
		{"a\x00bb\x00", "a\x00bc\x00", "a\x00"},
		{"", "a\x00", ""},
	} {
		if got := commonKey([]byte(c[0]), []byte(c[1])); string(got) != c[2] {
			t.Errorf("%q and %q have %q in common", c[0], c[1], got)
		}
	}
}

func TestNamesOfOtherZones(t *testing.T) {
	for _, text := range []string{"com.", ".", "example.org.", "xexample.com.", `a\.example.com.`, "example.com.net."} {
		var name wireName
		if err := name.parse(text); err != nil {
			t.Fatal(err)
		}
		if key, ok := appendKey(nil, name.bytes(), exampleOrigin); ok {
			t.Errorf("%s has the key %q", text, key)
		}
	}
}

func TestNameLengths(t *testing.T) {
	// 255 octets with the root label, and one more
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61) + "."
	var name wireName
	if err := name.parse(longest); err != nil || name.size != maxWire {
		t.Errorf("%d octets, %v", name.size, err)
	}
	if err := name.parse("a" + longest[:len(longest)-1] + "."); err == nil {
		t.Error("a label of 64 octets")
	}
	if err := name.parse(longest[:len(longest)-1] + "a."); err == nil {
		t.Error("a name of 256 octets")
	}
	if err := name.parse(strings.Repeat("a.", 127)); err != nil || name.size != maxWire {
		t.Errorf("127 labels: %d octets, %v", name.size, err)
	}
	for _, text := range []string{"", "a", "a..", ".a.", `a\`, `\0`} {
		if err := name.parse(text); err == nil {
			t.Errorf("%q is taken as %q", text, name.bytes())
		}
	}
}
