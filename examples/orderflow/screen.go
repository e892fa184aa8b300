package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// screen shows the state of the flow: redrawn in place on a terminal, one line
// every now and then elsewhere.
type screen struct {
	out   io.Writer
	live  bool
	drawn int           // live: lines of the last drawing
	next  time.Duration // otherwise: when the next line is due
}

// lineInterval is the time between two lines of a plain log.
const lineInterval = time.Second

// newScreen draws in place when out is a terminal that can.
func newScreen(out io.Writer) *screen {
	return &screen{out: out, live: isTerminal(out) && os.Getenv("TERM") != "dumb"}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show draws the state over the one before, or prints it as a line when one is due.
func (s *screen) show(elapsed time.Duration, t totals, n *notes) {
	if s.live {
		s.draw(append(append(table(t), ""), n.all()...))
		return
	}
	for _, note := range n.firsts() {
		fmt.Fprintln(s.out, "      "+note)
	}
	if elapsed >= s.next {
		s.next = elapsed + lineInterval
		fmt.Fprintln(s.out, summary(elapsed, t))
	}
}

// finish shows the last state, and what is printed next below it.
func (s *screen) finish(t totals, n *notes) {
	if s.live {
		s.draw(append(append(table(t), ""), n.all()...))
	} else {
		fmt.Fprintln(s.out, "\n"+strings.Join(table(t), "\n"))
	}
	fmt.Fprintln(s.out)
	s.drawn = 0
}

// print prints lines below what was shown.
func (s *screen) print(lines ...string) {
	for _, line := range lines {
		fmt.Fprintln(s.out, line)
	}
}

const (
	cursorUp   = "\x1b[%dA" // so many lines up
	clearBelow = "\x1b[J"   // from the cursor to the end of the screen
	lineWidth  = 79         // what every terminal shows without a line break
)

func (s *screen) draw(lines []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, cursorUp+"\r", s.drawn)
	}
	b.WriteString(clearBelow)
	for _, line := range lines {
		b.WriteString(cut(line, lineWidth) + "\n")
	}
	io.WriteString(s.out, b.String())
	s.drawn = len(lines)
}

// cut shortens a line to so many runes.
func cut(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "…"
}

const (
	tableHead = "queue      sent  consumer    received handled retried dead  lag    p50    p99"
	tableRow  = "%-9s %5s  %-11s %8d %7d %7d %4d %4d %6s %6s"
)

// table has a line for every consumer of every queue.
func table(t totals) []string {
	lines := []string{tableHead}
	for _, q := range t.queues {
		name, sent := q.name, fmt.Sprint(q.events())
		for _, c := range q.consumers {
			lines = append(lines, fmt.Sprintf(tableRow, name, sent, c.name, c.received, c.handled, c.retried,
				c.dead, q.events()-c.settled(), short(c.p50), short(c.p99)))
			name, sent = "", ""
		}
	}
	return lines
}

// summary is the state in one line: all queues together, and the latencies of
// the consumer that waits longest.
func summary(elapsed time.Duration, t totals) string {
	var sent, received, handled, retried, dead, lag int
	var p50, p99 time.Duration
	for _, q := range t.queues {
		sent += q.events()
		for _, c := range q.consumers {
			received += c.received
			handled += c.handled
			retried += c.retried
			dead += c.dead
			lag += q.events() - c.settled()
			p50, p99 = max(p50, c.p50), max(p99, c.p99)
		}
	}
	return fmt.Sprintf("%4.0fs  sent %d  received %d  handled %d  retried %d  dead %d  lag %d  p50 %s  p99 %s",
		elapsed.Seconds(), sent, received, handled, retried, dead, lag, short(p50), short(p99))
}

// short renders a latency in at most six characters.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d > 0:
		return fmt.Sprintf("%dms", (d + time.Millisecond - 1).Milliseconds())
	}
	return "-"
}
