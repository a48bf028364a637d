// SPDX-License-Identifier: GPL-3.0-or-later
package reader

import (
	"encoding/json"
	"os"
	"sync"

	"github.com/miekg/dns"
)

type question struct {
	name  string
	rtype string
}

// answers remembers the last answer given to each question, for as long as the instance lives and, through the dump
// file, longer. Nothing ever removes one: this is what makes answers stale after a delete.
type answers struct {
	file  string
	mutex sync.RWMutex
	given map[question][]dns.RR
}

type dumped struct {
	Name    string
	Type    string
	Records []string
}

func newAnswers(file string) *answers {
	return &answers{file: file, given: map[question][]dns.RR{}}
}

func (a *answers) get(key question) []dns.RR {
	a.mutex.RLock()
	defer a.mutex.RUnlock()
	var out []dns.RR
	for _, record := range a.given[key] {
		out = append(out, dns.Copy(record))
	}
	return out
}

func (a *answers) put(key question, records []dns.RR) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	var kept []dns.RR
	for _, record := range records {
		kept = append(kept, dns.Copy(record))
	}
	a.given[key] = kept
}

// load: a file that is missing or is no dump (/dev/null) is an empty memory.
func (a *answers) load() {
	if a.file == "" {
		return
	}
	data, err := os.ReadFile(a.file)
	var list []dumped
	if err != nil || json.Unmarshal(data, &list) != nil {
		return
	}
	for _, entry := range list {
		var records []dns.RR
		for _, text := range entry.Records {
			if record, err := dns.NewRR(text); err == nil && record != nil {
				records = append(records, record)
			}
		}
		a.put(question{entry.Name, entry.Type}, records)
	}
}

func (a *answers) dump() {
	if a.file == "" {
		return
	}
	a.mutex.RLock()
	defer a.mutex.RUnlock()
	var list []dumped
	for key, records := range a.given {
		entry := dumped{Name: key.name, Type: key.rtype}
		for _, record := range records {
			entry.Records = append(entry.Records, record.String())
		}
		list = append(list, entry)
	}
	data, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(a.file, data, 0o600)
	}
	if err != nil {
		log.Errorf("dump_file: %v", err)
	}
}
