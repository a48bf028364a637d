// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"zonefan.internal/coredns/lookup"
)

// Version is a zone as it was at one moment.
type Version struct {
	Zone    string
	Exists  bool
	Stamp   Stamp
	Records []lookup.Record
	Bad     []lookup.BadRecord // rows that are no records: NULL, a TTL out of range
}

// Load reads zones, all as they were at one moment, in one packet. It returns
// one Version for each, in the order asked for.
func (s *Source) Load(ctx context.Context, zones []string) ([]Version, error) {
	versions := make([]Version, len(zones))
	byName := make(map[string]*Version, len(zones))
	for i, zone := range zones {
		versions[i].Zone = zone
		byName[zone] = &versions[i]
	}
	list, names := marks(zones)
	// Without REPEATABLE READ each statement would see another moment.
	text := "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;"
	if s.Stateless() {
		text += "SELECT zone_name,NULL,NULL,NULL,NULL FROM {zones} WHERE zone_name IN " + list + ";"
	} else {
		text += "SELECT z.zone_name,s.store_id,s.generation,s.digest,TIMESTAMPDIFF(MICROSECOND," + epoch +
			",s.changed_at) FROM {zones} z LEFT JOIN {state} s ON s.zone_name=z.zone_name AND s.deleted=0 " +
			"WHERE z.zone_name IN " + list + ";"
	}
	text += "SELECT z.zone_name,r.hostname,r.type,r.data,r.ttl FROM {zones} z JOIN {records} r ON r.zone_id=z.id " +
		"WHERE r.online<>0 AND z.zone_name IN " + list + ";" + s.digestText(list, true) + ";COMMIT"
	args := append(append(append([]any{}, names...), names...), names...)
	err := s.run(ctx, text, args, takeStamps(byName), takeRecords(byName), takeDigests(func(zone string, stamp Stamp) {
		if v := byName[zone]; v != nil && v.Exists && v.Stamp == (Stamp{}) {
			v.Stamp = stamp
		}
	}))
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func takeStamps(byName map[string]*Version) func(*sql.Rows) error {
	var zone string
	var scan stampScan
	return func(rows *sql.Rows) error {
		if err := rows.Scan(scan.with(&zone)...); err != nil {
			return err
		}
		if v := byName[zone]; v != nil {
			v.Exists, v.Stamp = true, scan.stamp()
		}
		return nil
	}
}

func takeRecords(byName map[string]*Version) func(*sql.Rows) error {
	var zone string
	var owner, typ, data sql.NullString
	var ttl sql.NullInt64
	return func(rows *sql.Rows) error {
		if err := rows.Scan(&zone, &owner, &typ, &data, &ttl); err != nil {
			return err
		}
		v := byName[zone]
		if v == nil {
			return nil
		}
		record := lookup.Record{Owner: owner.String, Type: typ.String, Data: data.String, TTL: uint32(ttl.Int64)}
		switch {
		case !owner.Valid || !typ.Valid || !data.Valid || !ttl.Valid:
			v.Bad = append(v.Bad, lookup.BadRecord{Record: record, Err: fmt.Errorf("a column is NULL")})
		case ttl.Int64 < 0 || ttl.Int64 > math.MaxInt32: // RFC 2181 8
			v.Bad = append(v.Bad, lookup.BadRecord{Record: record, Err: fmt.Errorf("the TTL is %d", ttl.Int64)})
		default:
			v.Records = append(v.Records, record)
		}
		return nil
	}
}

// Digests tells the stamps that zones of others have now, made of their rows by
// the server. Zones that are not there are left out.
func (s *Source) Digests(ctx context.Context, zones []string) (map[string]Stamp, error) {
	stamps := make(map[string]Stamp, len(zones))
	list, names := marks(zones)
	err := s.run(ctx, s.digestText(list, false), names, takeDigests(func(zone string, stamp Stamp) {
		stamps[zone] = stamp
	}))
	return stamps, err
}

// digestText asks for the digests of zones: the number of rows and the sums of
// two halves of a hash of each, so that neither order nor a swap is overlooked.
// The LEFT JOIN gives a zone without rows a digest too.
func (s *Source) digestText(list string, onlyForeign bool) string {
	field := func(name string) string {
		return "COALESCE(CONCAT(OCTET_LENGTH(r." + name + "),':',r." + name + "),'-')"
	}
	half := func(start string) string {
		return "MOD(SUM(CAST(CONV(SUBSTR(h," + start + ",16),16,10) AS UNSIGNED)),18446744073709551616)"
	}
	without := ""
	if onlyForeign && !s.Stateless() {
		without = " AND NOT EXISTS (SELECT 1 FROM {state} s WHERE s.zone_name=z.zone_name AND s.deleted=0)"
	}
	// The limit limits nothing; without one the server hashes each row twice.
	return "SELECT zone_name,COUNT(*)," + half("1") + "," + half("17") + " FROM (SELECT z.zone_name," +
		"SHA2(CONCAT(" + field("hostname") + "," + field("type") + "," + field("data") + "," + field("ttl") + "," +
		field("online") + "),256) AS h FROM {zones} z LEFT JOIN {records} r ON r.zone_id=z.id " +
		"WHERE z.zone_name IN " + list + without + " LIMIT 18446744073709551615) AS d GROUP BY zone_name"
}

func takeDigests(take func(zone string, stamp Stamp)) func(*sql.Rows) error {
	var zone, high, low string
	return func(rows *sql.Rows) error {
		var stamp Stamp
		if err := rows.Scan(&zone, &stamp.Generation, &high, &low); err != nil {
			return err
		}
		for i, text := range []string{high, low} {
			sum, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("zone %s: digest: %w", zone, err)
			}
			binary.BigEndian.PutUint64(stamp.Digest[8*i:], sum)
		}
		take(zone, stamp)
		return nil
	}
}

// Foreign lists the zones that others wrote.
func (s *Source) Foreign(ctx context.Context) ([]string, error) {
	text := "SELECT z.zone_name FROM {zones} z LEFT JOIN {state} s ON s.zone_name=z.zone_name AND s.deleted=0 " +
		"WHERE s.zone_name IS NULL AND z.zone_name<>''"
	if s.Stateless() {
		text = "SELECT zone_name FROM {zones} WHERE zone_name<>''"
	}
	var zones []string
	err := s.run(ctx, text, nil, func(rows *sql.Rows) error {
		var zone string
		err := rows.Scan(&zone)
		if IsZoneName(zone) {
			zones = append(zones, zone)
		}
		return err
	})
	return zones, err
}
