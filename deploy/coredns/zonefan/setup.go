// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/transfer"

	"zonefan.internal/coredns/catalog"
)

var log = clog.NewWithPlugin(pluginName)

func init() { plugin.Register(pluginName, setup) }

func setup(c *caddy.Controller) error {
	z, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	config := dnsserver.GetConfig(c)
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		z.Next = next
		return z
	})
	front := func(next plugin.Handler) plugin.Handler { return splitter{next} }
	config.Plugin = append([]plugin.Plugin{front}, config.Plugin...)
	c.OnStartup(func() error { return z.start(config, c.Context()) })
	c.OnShutdown(z.stop)
	c.OnRestartFailed(func() error {
		running.stopAllBut(c.Context())
		return nil
	})
	return nil
}

// start opens the catalog. After a reload of CoreDNS that is the one which the
// old instance has open still, with all that is loaded.
func (z *Zonefan) start(config *dnsserver.Config, instance caddy.Context) error {
	opened, err := catalog.Open(z.config)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	z.catalog.Store(opened)
	z.started = time.Now()
	if t, ok := config.Handler("transfer").(*transfer.Transfer); ok {
		z.notify = newNotifier(t.Notify)
		z.unlisten = opened.OnChange(z.changed)
	}
	running.add(z, instance)
	return nil
}

func (z *Zonefan) stop() error {
	if running.remove(z) {
		if z.notify != nil {
			z.unlisten()
			z.notify.close()
		}
		z.catalog.Load().Close()
	}
	return nil
}

func (z *Zonefan) changed(zone string) {
	if z.origins.Matches(zone) != "" {
		z.notify.changed(zone)
	}
}

// set is all that is started in this process, each with its instance of
// CoreDNS: during a reload there are two.
type set struct {
	mutex   sync.Mutex
	members map[*Zonefan]caddy.Context
}

var running = set{members: map[*Zonefan]caddy.Context{}}

func (s *set) add(z *Zonefan, instance caddy.Context) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.members[z] = instance
}

func (s *set) remove(z *Zonefan) (was bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, was = s.members[z]
	delete(s.members, z)
	return was
}

// stopAllBut stops what a reload had started when it failed: nobody else does.
func (s *set) stopAllBut(instance caddy.Context) {
	s.mutex.Lock()
	var others []*Zonefan
	for z, of := range s.members {
		if of != instance {
			others = append(others, z)
		}
	}
	s.mutex.Unlock()
	for _, z := range others {
		z.stop()
	}
}

// byDatabase returns who reads which database. Of several on the same one,
// which a reload with other settings makes for a moment, it is the newest.
func (s *set) byDatabase() map[string]*Zonefan {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	all := map[string]*Zonefan{}
	for z := range s.members {
		name := z.config.Source.Name()
		if other := all[name]; other == nil || z.started.After(other.started) {
			all[name] = z
		}
	}
	return all
}
