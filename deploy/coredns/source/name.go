// SPDX-License-Identifier: Apache-2.0

package source

// Name says for people which database this is: ADDRESS/DATABASE, and the table
// of zones where that is not the usual one. It holds no secret, and is empty for
// a DSN that CheckDSN refuses.
func (c Config) Name() string {
	dsn, err := parseDSN(c.DSN)
	if err != nil {
		return ""
	}
	name := dsn.Addr + "/" + dsn.DBName
	if c.ZonesTable != "zones" {
		name += "/" + c.ZonesTable
	}
	return name
}
