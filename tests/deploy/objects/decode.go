// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	strict "sigs.k8s.io/yaml"
)

// decoded splits a stream of YAML documents into objects, in order of kind, namespace and name.
func decoded(stream []byte, err error) ([]*unstructured.Unstructured, error) {
	if err != nil {
		return nil, err
	}
	if err := monitoring.AddToScheme(kubernetes.Scheme); err != nil {
		return nil, err
	}
	decoder := serializer.NewCodecFactory(kubernetes.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(stream)))
	defer documents.Close()
	var objects []*unstructured.Unstructured
	for {
		document := make([]byte, len(stream)+1)
		size, err := documents.Read(document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if document = bytes.TrimSpace(document[:size]); len(document) == 0 {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := strict.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue // comments alone
		}
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		objects = append(objects, object)
	}
	sort.Slice(objects, func(i, j int) bool { return key(objects[i]) < key(objects[j]) })
	for i := 1; i < len(objects); i++ {
		if key(objects[i]) == key(objects[i-1]) {
			return nil, fmt.Errorf("%s %s is there twice", objects[i].GetKind(), objects[i].GetName())
		}
	}
	return objects, nil
}

func key(object *unstructured.Unstructured) string {
	return object.GetKind() + "\x00" + object.GetNamespace() + "\x00" + object.GetName()
}
