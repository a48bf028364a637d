// SPDX-License-Identifier: Apache-2.0

package zonefan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units of sizes, longest first so that "KiB" is not read as "B".
var units = []struct {
	name  string
	bytes uint64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1},
}

// parseSize reads 512MiB, 512M, 500MB or a number of bytes.
func parseSize(text string) (int64, error) {
	digits, factor := text, uint64(1)
	for _, unit := range units {
		if rest, found := strings.CutSuffix(text, unit.name); found {
			digits, factor = rest, unit.bytes
			break
		}
	}
	number, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || number > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is no size like 512MiB or 2GiB", text)
	}
	return int64(number * factor), nil
}
