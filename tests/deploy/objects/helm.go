// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

const namespace = "zonefan"

func helm(directory, release string, files []string) ([]byte, error) {
	chart, err := loader.LoadDir(directory)
	if err != nil {
		return nil, err
	}
	if err := chart.Validate(); err != nil {
		return nil, err
	}
	given := chartutil.Values{}
	for _, file := range files {
		values, err := chartutil.ReadValuesFile(file)
		if err != nil {
			return nil, err
		}
		given = chartutil.CoalesceTables(values, given)
	}
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	// Checks them against values.schema.json, too.
	values, err := chartutil.ToRenderValues(chart, given, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	texts, err := engine.Engine{Strict: true}.Render(chart, values)
	if err != nil {
		return nil, err
	}
	var stream bytes.Buffer
	for name, text := range texts {
		if strings.HasPrefix(path.Base(name), "_") || path.Ext(name) == ".txt" {
			continue
		}
		stream.WriteString("\n---\n" + text)
	}
	return stream.Bytes(), nil
}
