// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"encoding/json"
	"io"
	"sync"

	"github.com/miekg/dns"
)

// shown is a reply for people to read.
type shown struct {
	Status     string   `json:"status"`
	AA         bool     `json:"aa"`
	TC         bool     `json:"tc,omitempty"`
	Size       int      `json:"size"`
	Answer     []string `json:"answer,omitempty"`
	Authority  []string `json:"authority,omitempty"`
	Additional []string `json:"additional,omitempty"`
}

func show(reply []byte) shown {
	message := new(dns.Msg)
	if reply == nil {
		return shown{Status: "no reply"}
	}
	if err := message.Unpack(reply); err != nil {
		return shown{Status: err.Error(), Size: len(reply)}
	}
	return shown{dns.RcodeToString[message.Rcode], message.Authoritative, message.Truncated, len(reply),
		texts(message.Answer), texts(message.Ns), texts(message.Extra)}
}

func texts(section []dns.RR) []string {
	var lines []string
	for _, rr := range section {
		lines = append(lines, rr.String())
	}
	return lines
}

// report counts, and writes each difference as a line of JSON. Safe for any
// number of goroutines.
type report struct {
	lock  sync.Mutex
	out   *json.Encoder
	total totals
}

// totals are the last line of the report.
type totals struct {
	Zones       int            `json:"zones"`
	Records     int            `json:"records"`
	Names       int            `json:"names"`
	Questions   int            `json:"questions"` // name, type, transport, DO or not: each is one
	Differences int            `json:"differences"`
	Truncated   int            `json:"truncated"` // UDP answers settled over TCP
	Repeats     int            `json:"repeats"`
	Permitted   map[string]int `json:"permitted"`
	Seconds     float64        `json:"seconds"`
}

func newReport(out io.Writer) *report {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &report{out: encoder, total: totals{Permitted: map[string]int{}}}
}

func (r *report) asked(questions int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.total.Questions += questions
}

func (r *report) truncated() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.total.Truncated++
}

func (r *report) permitted(used []string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, rule := range used {
		r.total.Permitted[rule]++
	}
}

func (r *report) zone(records, names, repeats int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.total.Zones++
	r.total.Records += records
	r.total.Names += names
	r.total.Repeats += repeats
}

func (r *report) differs(found difference) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.total.Differences++
	r.out.Encode(found)
}
