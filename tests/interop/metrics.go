package main

// What a parser of Prometheus's text format makes of /metrics.

import (
	"bytes"
	"fmt"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func checkMetrics(args []string) (string, error) {
	text, err := source(args[0]).read("metrics")
	if err != nil {
		return "", err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	samples := 0
	for _, family := range families {
		samples += len(family.GetMetric())
	}
	return fmt.Sprintf("%d families, %d metrics", len(families), samples), nil
}
