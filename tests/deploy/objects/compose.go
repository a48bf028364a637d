// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"

	"github.com/compose-spec/compose-go/v2/cli"
)

// compose reads the file as docker compose does: checked against the schema of the specification, all defaults filled in.
func compose(file string, profiles []string) (any, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithProfiles(profiles), cli.WithName("zonefan"))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}
