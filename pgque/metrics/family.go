package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxSeries bounds the series of one metric: event types may come from outside, and
// a metric must not use up the memory. What is beyond counts as otherLabel.
const maxSeries = 1000

const otherLabel = "(other)"

// bounds of the histogram's buckets, in seconds.
var bounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// family is one metric with all its series.
type family struct {
	name, help, kind string
	labels           []string
	series           map[string]*series // by label text, as it is written
}

type series struct {
	value   float64 // of a histogram: the sum
	count   uint64
	buckets []uint64 // not cumulative
}

func (m *Metrics) counter(name, help string, labels ...string) *family {
	return m.add(&family{name: name, help: help, kind: "counter", labels: labels})
}

func (m *Metrics) gauge(name, help string, labels ...string) *family {
	return m.add(&family{name: name, help: help, kind: "gauge", labels: labels})
}

func (m *Metrics) histogram(name, help string, labels ...string) *family {
	return m.add(&family{name: name, help: help, kind: "histogram", labels: labels})
}

func (m *Metrics) add(f *family) *family {
	f.reset()
	m.families = append(m.families, f)
	return f
}

func (f *family) reset() { f.series = make(map[string]*series) }

func (f *family) add(n float64, values ...string) { f.of(values).value += n }

func (f *family) set(n float64, values ...string) { f.of(values).value = n }

func (f *family) observe(n float64, values ...string) {
	s := f.of(values)
	if s.buckets == nil {
		s.buckets = make([]uint64, len(bounds))
	}
	s.value += n
	s.count++
	if i, _ := slices.BinarySearch(bounds, n); i < len(bounds) {
		s.buckets[i]++
	}
}

func (f *family) of(values []string) *series {
	text := f.labelText(values)
	s, ok := f.series[text]
	if !ok && len(f.series) >= maxSeries {
		text = f.labelText(slices.Repeat([]string{otherLabel}, len(values)))
		s, ok = f.series[text]
	}
	if !ok {
		s = &series{}
		f.series[text] = s
	}
	return s
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labelText is queue="orders",type="order.created".
func (f *family) labelText(values []string) string {
	pairs := make([]string, len(values))
	for i, value := range values {
		pairs[i] = f.labels[i] + `="` + escape.Replace(strings.ToValidUTF8(value, "\uFFFD")) + `"`
	}
	return strings.Join(pairs, ",")
}

func (f *family) write(b *bytes.Buffer) {
	if len(f.series) == 0 {
		return
	}
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
	for _, labels := range slices.Sorted(maps.Keys(f.series)) {
		s := f.series[labels]
		if f.kind == "histogram" {
			f.writeHistogram(b, labels, s)
			continue
		}
		sample(b, f.name, labels, s.value)
	}
}

func (f *family) writeHistogram(b *bytes.Buffer, labels string, s *series) {
	var below uint64
	for i, bound := range bounds {
		below += s.buckets[i]
		sample(b, f.name+"_bucket", labels+`,le="`+number(bound)+`"`, float64(below))
	}
	sample(b, f.name+"_bucket", labels+`,le="+Inf"`, float64(s.count))
	sample(b, f.name+"_sum", labels, s.value)
	sample(b, f.name+"_count", labels, float64(s.count))
}

func sample(b *bytes.Buffer, name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(b, "%s%s %s\n", name, labels, number(value))
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
