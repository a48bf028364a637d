// SPDX-License-Identifier: GPL-3.0-or-later

// Package reader is a stand-in for the public CoreDNS plugin "mysql"
// (github.com/cybercinch/coredns_mysql_extend). It is written from the
// description of that plugin's behaviour, limits included; ../README.md says
// what it shares with the original and what it does not.
package reader

import (
	"database/sql"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	_ "github.com/go-sql-driver/mysql"
)

const pluginName = "mysql"

var log = clog.NewWithPlugin(pluginName)

type settings struct {
	dsn              string
	dumpFile         string
	successHeartbeat time.Duration
	failHeartbeat    time.Duration
	maxOpenConns     int
}

func init() {
	plugin.Register(pluginName, setup)
}

func setup(c *caddy.Controller) error {
	config, err := parse(c)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	db, err := sql.Open("mysql", config.dsn)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	db.SetMaxOpenConns(config.maxOpenConns)
	r := &Reader{tables: newTables(db), answers: newAnswers(config.dumpFile)}
	stop := make(chan struct{})

	c.OnStartup(func() error {
		r.answers.load()
		go r.tables.refresh(config.successHeartbeat, config.failHeartbeat, stop)
		return nil
	})
	c.OnShutdown(func() error {
		close(stop)
		r.answers.dump()
		return db.Close()
	})
	dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
		r.Next = next
		return r
	})
	return nil
}

func parse(c *caddy.Controller) (settings, error) {
	config := settings{successHeartbeat: 60 * time.Second, failHeartbeat: 10 * time.Second, maxOpenConns: 8}
	for c.Next() {
		for c.NextBlock() {
			name := c.Val()
			args := c.RemainingArgs()
			if len(args) != 1 {
				return config, c.ArgErr()
			}
			if err := config.set(c, name, args[0]); err != nil {
				return config, err
			}
		}
	}
	if config.dsn == "" {
		return config, c.Err("dsn is missing")
	}
	return config, nil
}

func (s *settings) set(c *caddy.Controller, name, value string) error {
	var err error
	switch name {
	case "dsn":
		s.dsn = value
	case "dump_file":
		s.dumpFile = value
	case "success_heartbeat_time":
		s.successHeartbeat, err = time.ParseDuration(value)
	case "fail_heartbeat_time":
		s.failHeartbeat, err = time.ParseDuration(value)
	default:
		err = c.Errf("unknown property %q", name)
	}
	return err
}
