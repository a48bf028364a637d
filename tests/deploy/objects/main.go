// SPDX-License-Identifier: GPL-3.0-or-later

// objects: what deploy/kubernetes, deploy/helm and deploy/compose.yaml make, by the libraries of the tools themselves.
//
//	objects kustomize DIRECTORY              what `kustomize build DIRECTORY` makes
//	objects helm CHART RELEASE [VALUES...]   what `helm template RELEASE CHART -n zonefan -f VALUES...` makes
//	objects compose FILE [PROFILE...]        what `docker compose config` makes
//
// Prints JSON. Each Kubernetes object is first decoded strictly into the type that the API has for it: a field that is unknown,
// misspelt, of another type or there twice is an error that names it. Exit status 1 with the reason, if anything is wrong.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

const usage = "usage: objects kustomize DIRECTORY | helm CHART RELEASE [VALUES...] | compose FILE [PROFILE...]"

func run(words []string) (any, error) {
	switch {
	case len(words) == 2 && words[0] == "kustomize":
		return decoded(kustomize(words[1]))
	case len(words) >= 3 && words[0] == "helm":
		return decoded(helm(words[1], words[2], words[3:]))
	case len(words) >= 2 && words[0] == "compose":
		return compose(words[1], words[2:])
	}
	return nil, fmt.Errorf(usage)
}

func main() {
	made, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(made)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "objects:", err)
		os.Exit(1)
	}
}
