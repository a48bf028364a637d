// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const limit = 30 * time.Second // of a wait for something that comes at once

func receive[T any](t *testing.T, from <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(limit):
		t.Fatalf("not within %v: %s", limit, what)
	}
	return value
}

func TestAZoneThatChangesWhileItWaitsIsToldOnce(t *testing.T) {
	told, answer := make(chan string), make(chan struct{})
	n := newNotifier(func(zone string) error {
		told <- zone
		<-answer
		return nil
	})
	defer n.close()
	n.changed("slow.")
	if zone := receive(t, told, "the first zone"); zone != "slow." {
		t.Fatal(zone)
	}
	for range 100 { // a secondary that does not answer holds none of these up
		n.changed("a.")
		n.changed("b.")
		n.changed("slow.")
	}
	var got []string
	for range 3 {
		answer <- struct{}{}
		got = append(got, receive(t, told, "the next zone"))
	}
	if !slices.Equal(got, []string{"a.", "b.", "slow."}) {
		t.Fatalf("told: %v", got)
	}
	answer <- struct{}{}
	n.changed("last.")
	if zone := receive(t, told, "the last zone"); zone != "last." {
		t.Fatalf("told once more: %s", zone)
	}
	answer <- struct{}{}
}

func TestNothingIsToldAfterTheEnd(t *testing.T) {
	told, answer := make(chan string, 100), make(chan struct{})
	n := newNotifier(func(zone string) error {
		told <- zone
		<-answer
		return fmt.Errorf("%s: no secondary answered", zone)
	})
	n.changed("first.")
	receive(t, told, "the first zone")
	n.changed("second.")
	n.close()
	n.changed("third.")
	close(answer)
	if _, ok := n.take(); ok {
		t.Fatal("something is taken after the end")
	}
	if len(told) != 0 {
		t.Fatalf("told after the end: %s", <-told)
	}
}
