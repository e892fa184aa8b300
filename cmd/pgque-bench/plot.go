package main

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// plot is a figure of panels, one above the other, that share the horizontal axis.
type plot struct {
	title, subtitle string
	axis            string // what the horizontal axis shows, with its unit
	panels          []panel
}

// panel shows lines over one vertical axis, which begins at zero or, on a
// logarithmic scale, at a power of ten.
type panel struct {
	title string // what the vertical axis shows, with its unit
	log   bool
	lines []line
}

// line is drawn through its points in order, with a gap where y is NaN.
type line struct {
	name   string
	colour string
	dashed bool
	points []point
}

type point struct{ x, y float64 }

// Sizes in pixels.
const (
	plotWidth   = 900
	panelHeight = 190
	panelGap    = 62
	marginLeft  = 84
	marginRight = 200 // for the legends
	marginTop   = 92
	axisHeight  = 56
)

// svg draws the plot.
func (f plot) svg() string {
	height := marginTop + len(f.panels)*(panelHeight+panelGap) - panelGap + axisHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="13" fill="#333">`+"\n",
		plotWidth, height, plotWidth, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	label(&b, marginLeft, 30, `font-size="18" font-weight="600"`, f.title)
	label(&b, marginLeft, 52, `fill="#666"`, f.subtitle)
	across := f.across()
	for i, p := range f.panels {
		top := float64(marginTop + i*(panelHeight+panelGap))
		p.draw(&b, across, scale{from: top + panelHeight, to: top, log: p.log}.over(p.values()))
	}
	bottom := float64(height - axisHeight)
	for _, x := range across.ticks(8) {
		label(&b, across.at(x), bottom+20, `text-anchor="middle"`, shortNumber(x))
	}
	label(&b, (across.from+across.to)/2, bottom+42, `text-anchor="middle"`, f.axis)
	b.WriteString("</svg>\n")
	return b.String()
}

// across is the scale of the horizontal axis.
func (f plot) across() scale {
	var values []float64
	for _, p := range f.panels {
		for _, l := range p.lines {
			for _, at := range l.points {
				values = append(values, at.x)
			}
		}
	}
	s := scale{from: marginLeft, to: plotWidth - marginRight}.over(values)
	s.most = maximum(values) // the axis ends with the data
	return s
}

func (p panel) values() []float64 {
	var values []float64
	for _, l := range p.lines {
		for _, at := range l.points {
			values = append(values, at.y)
		}
	}
	return values
}

func (p panel) draw(b *strings.Builder, x, y scale) {
	label(b, x.from-marginLeft+24, y.to-12, `font-weight="600"`, p.title)
	for _, v := range y.ticks(4) {
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#e3e3e3"/>`+"\n", x.from, y.at(v), x.to)
		label(b, x.from-8, y.at(v)+4, `text-anchor="end"`, shortNumber(v))
	}
	for _, v := range x.ticks(8) {
		fmt.Fprintf(b, `<path d="M%.1f %.1fv5" stroke="#999"/>`+"\n", x.at(v), y.from)
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#999"/>`+"\n", x.from, y.from, x.to)
	for i, l := range p.lines {
		stroke := fmt.Sprintf(`fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"`, l.colour)
		if l.dashed {
			stroke += ` stroke-dasharray="5 4"`
		}
		fmt.Fprintf(b, `<path d="%s" %s/>`+"\n", l.path(x, y), stroke)
		legend := y.to + 10 + float64(20*i)
		fmt.Fprintf(b, `<path d="M%.1f %.1fh22" %s/>`+"\n", x.to+14, legend, stroke)
		label(b, x.to+42, legend+4, "", l.name)
	}
}

// path is the line as commands of an SVG path.
func (l line) path(x, y scale) string {
	var b strings.Builder
	command := "M"
	for _, at := range l.points {
		if math.IsNaN(at.y) {
			command = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", command, x.at(at.x), y.at(at.y))
		command = "L"
	}
	return b.String()
}

// scale maps values to pixels.
type scale struct {
	from, to    float64 // pixels of least and most
	least, most float64
	log         bool
}

// over is the scale for values: up to a round number or a power of ten.
func (s scale) over(values []float64) scale {
	most := maximum(values)
	if s.log {
		least := most
		for _, v := range values {
			if v > 0 && v < least {
				least = v
			}
		}
		s.least = math.Pow(10, math.Floor(math.Log10(least)))
		s.most = math.Pow(10, math.Ceil(math.Log10(most)))
		return s
	}
	step := roundStep(most, 4)
	s.most = math.Ceil(most/step) * step
	return s
}

// maximum is at least 1, and ignores NaN.
func maximum(values []float64) float64 {
	most := 1.0
	for _, v := range values {
		if v > most {
			most = v
		}
	}
	return most
}

func (s scale) at(v float64) float64 {
	share := (v - s.least) / (s.most - s.least)
	if s.log {
		share = math.Log(max(v, s.least)/s.least) / math.Log(s.most/s.least)
	}
	return s.from + share*(s.to-s.from)
}

// ticks are about n round values, or the powers of ten.
func (s scale) ticks(n int) []float64 {
	var list []float64
	if s.log {
		for v := s.least; v <= s.most*1.001; v *= 10 {
			list = append(list, v)
		}
		return list
	}
	step := roundStep(s.most, n)
	for v := 0.0; v <= s.most*1.001; v += step {
		list = append(list, v)
	}
	return list
}

// roundStep is 1, 2 or 5 times a power of ten, so that about n steps make most.
func roundStep(most float64, n int) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most/float64(n))))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power*float64(n) >= most {
			return factor * power
		}
	}
	return 10 * power
}

// shortNumber writes thousands as k and millions as M.
func shortNumber(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func label(b *strings.Builder, x, y float64, attributes, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s>%s</text>`+"\n", x, y, attributes, html.EscapeString(text))
}
