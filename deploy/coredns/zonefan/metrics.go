// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"

	"zonefan.internal/coredns/catalog"
)

// metric is one that is read from how a catalog stands.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	label []string // values of the metric's own labels
	value func(s *catalog.Stats) float64
}

func newMetric(kind prometheus.ValueType, name, help string, value func(s *catalog.Stats) float64) metric {
	return metric{describe(name, help), kind, nil, value}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, pluginName, name), help, append([]string{"database"}, labels...), nil)
}

var (
	loads    = describe("loads_total", "Versions of zones that were loaded, and from where.", "from")
	failures = describe("errors_total", "Contacts that failed: polls, loads of zones, uses of the snapshot.", "kind")
)

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// metrics are all of them; README.md has the same list.
var metrics = []metric{
	newMetric(gauge, "zones", "Zones that are known.",
		func(s *catalog.Stats) float64 { return float64(s.Zones) }),
	newMetric(gauge, "loaded_zones", "Zones that are in memory.",
		func(s *catalog.Stats) float64 { return float64(s.Loaded) }),
	newMetric(gauge, "loaded_records", "Records of the zones that are in memory.",
		func(s *catalog.Stats) float64 { return float64(s.Records) }),
	newMetric(gauge, "memory_bytes", "Memory of zones and index, as max_memory counts it.",
		func(s *catalog.Stats) float64 { return float64(s.Memory) }),
	newMetric(gauge, "refresh_age_seconds", "Time since the database last told what changed; since the start if it never did.",
		func(s *catalog.Stats) float64 { return time.Since(s.Refreshed).Seconds() }),
	newMetric(gauge, "stale_zones", "Zones in memory of which the database has another version.",
		func(s *catalog.Stats) float64 { return float64(s.Stale) }),
	newMetric(gauge, "oldest_stale_seconds", "Age of the oldest version that is not answered from yet, by the database's clock.",
		func(s *catalog.Stats) float64 {
			if s.StaleSince.IsZero() {
				return 0
			}
			return max(0, time.Since(s.StaleSince).Seconds())
		}),
	newMetric(gauge, "snapshot_zones", "Zones that are in the snapshot.",
		func(s *catalog.Stats) float64 { return float64(s.SnapshotZones) }),
	newMetric(counter, "bad_records_total", "Rows that are no records: their versions were not taken.",
		func(s *catalog.Stats) float64 { return float64(s.BadRecords) }),
	newMetric(counter, "evictions_total", "Zones that were taken out of memory to make room.",
		func(s *catalog.Stats) float64 { return float64(s.Evicted) }),
	{loads, counter, []string{"database"}, func(s *catalog.Stats) float64 { return float64(s.FromDatabase) }},
	{loads, counter, []string{"snapshot"}, func(s *catalog.Stats) float64 { return float64(s.FromSnapshot) }},
	{failures, counter, []string{"poll"}, func(s *catalog.Stats) float64 { return float64(s.PollErrors) }},
	{failures, counter, []string{"load"}, func(s *catalog.Stats) float64 { return float64(s.LoadErrors) }},
	{failures, counter, []string{"snapshot"}, func(s *catalog.Stats) float64 { return float64(s.SnapshotErrors) }},
}

// collector reads the metrics of all catalogs that are open when it is asked. It
// is registered once in a process, whatever CoreDNS reloads.
type collector struct{ *set }

func init() { prometheus.MustRegister(collector{&running}) }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range metrics {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for name, z := range c.byDatabase() {
		stats := z.catalog.Load().Stats()
		if stats.Refreshed.IsZero() {
			stats.Refreshed = z.started
		}
		for _, m := range metrics {
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&stats), append([]string{name}, m.label...)...)
		}
	}
}
