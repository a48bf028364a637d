// SPDX-License-Identifier: GPL-3.0-or-later

// Command differ asks two name servers for all that a list of zones gives
// reason to ask, and writes how their answers differ as lines of JSON; the last
// line has the totals. It ends with 0 whether there are differences or not.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

type options struct {
	oracle, reader   string // host:port
	zones, permitted string // paths
	window           int
	share            float64
	seed             string
	transfers        bool
}

func main() {
	var o options
	flag.StringVar(&o.oracle, "oracle", "", "host:port of the server that is right, which gives out its zones by AXFR")
	flag.StringVar(&o.reader, "reader", "", "host:port of the server that is tried")
	flag.StringVar(&o.zones, "zones", "", "file with a line of JSON per zone: {\"name\": ..., \"lowest\": {...}}")
	flag.StringVar(&o.permitted, "permitted", "", "file with the table of permitted differences")
	flag.IntVar(&o.window, "window", 64, "questions under way per server and transport; 1: one question at all")
	flag.Float64Var(&o.share, "share", 1, "share of the questions for neighbours of the zones' names")
	flag.StringVar(&o.seed, "seed", "1", "which share")
	flag.BoolVar(&o.transfers, "transfers", true, "compare the transfers of the zones too")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "differ:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	begin := time.Now()
	zones, err := readZones(o.zones)
	if err != nil {
		return err
	}
	permitted, err := readTable(o.permitted)
	if err != nil {
		return err
	}
	result := newReport(os.Stdout)
	asker := newAsker(o)
	defer asker.close()
	for _, known := range zones {
		if err := compareZone(o, known, permitted, result, asker); err != nil {
			return err
		}
	}
	result.total.Seconds = time.Since(begin).Seconds()
	return result.out.Encode(result.total)
}

func readZones(path string) ([]knownZone, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var zones []knownZone
	for decoder := json.NewDecoder(file); decoder.More(); {
		var known knownZone
		if err := decoder.Decode(&known); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		zones = append(zones, known)
	}
	return zones, nil
}

func compareZone(o options, known knownZone, permitted *table, result *report, asker *asker) error {
	records, err := transfer(o.oracle, known.Name)
	if err != nil {
		return err
	}
	z := newZone(known, records)
	c := &comparer{z, permitted, result}
	if o.transfers {
		c.transfers(o)
	}
	questions := z.questions(o.share, o.seed)
	var comparing sync.WaitGroup
	defer comparing.Wait()
	for start := 0; start < len(questions); start += batch {
		part := questions[start:min(start+batch, len(questions))]
		replies, err := asker.ask(part)
		if err != nil {
			return err
		}
		comparing.Wait()
		comparing.Add(1)
		go func() {
			defer comparing.Done()
			for i, q := range part {
				c.both(q, pair{replies[0][i], replies[1][i]}, pair{replies[2][i], replies[3][i]})
			}
		}()
	}
	result.zone(len(records), len(z.names), asker.repeats())
	return nil
}
