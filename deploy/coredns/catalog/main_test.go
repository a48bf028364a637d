// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"os"
	"testing"

	"zonefan.internal/coredns/internal/mariadbtest"
)

func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m)) }
