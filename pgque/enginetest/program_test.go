package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// program is what producers, consumers and upkeep do, one step after the other.
// Every step makes sense after any other, so that a program without some of its
// steps is a program too.
type program []step

// A step that cannot be done (a commit outside a transaction) does nothing.
type step struct {
	verb verb
	who  int    // which producer or consumer
	n    int    // how many events, or how large a page
	id   int    // number of the first event that is sent, the same in every run of the program
	pick uint64 // decides which events are put back, one bit each
}

type verb int

const (
	begin verb = iota
	beginFrozen
	commit
	rollback
	savepoint
	rollbackTo
	send
	tick
	rotate
	maintain
	subscribe
	unsubscribe
	seek
	open
	putBack
	putAllBack
	finish
	pages
	wish
	drain
)

const (
	producerCount = 4
	consumerCount = 3
)

// frequency of each verb among the steps.
var frequency = map[verb]int{
	begin: 10, beginFrozen: 2, commit: 8, rollback: 3, savepoint: 4, rollbackTo: 3, send: 25,
	tick: 18, rotate: 5, maintain: 6, subscribe: 3, unsubscribe: 1, seek: 1,
	open: 8, putBack: 5, putAllBack: 1, finish: 8, pages: 9, wish: 2, drain: 2,
}

// A program either rotates tables, or has transactions with old snapshots and
// consumers that go back: PgQ loses events of such transactions when it rotates, and
// going back into a rotated table finds what the rotation has left.
func newProgram(r *rand.Rand) program {
	rotates := r.IntN(2) == 0
	var verbs []verb
	for v := begin; v <= drain; v++ {
		if rotates && (v == beginFrozen || v == seek) || !rotates && v == rotate {
			continue
		}
		for range frequency[v] {
			verbs = append(verbs, v)
		}
	}
	p := make(program, 20+r.IntN(100))
	events := 0
	for i := range p {
		s := step{verb: verbs[r.IntN(len(verbs))], n: 1 + r.IntN(6), id: events, pick: r.Uint64() & r.Uint64()}
		switch s.verb {
		case begin, beginFrozen, commit, rollback, savepoint, rollbackTo, send:
			s.who = r.IntN(producerCount)
		default:
			s.who = r.IntN(consumerCount)
		}
		if s.verb == send {
			events += s.n
		}
		p[i] = s
	}
	return p
}

func (p program) String() string {
	var b strings.Builder
	for _, s := range p {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	return b.String()
}

func (s step) String() string {
	producer, consumer := fmt.Sprintf("p%d: ", s.who), fmt.Sprintf("c%d: ", s.who)
	switch s.verb {
	case begin:
		return producer + "begin"
	case beginFrozen:
		return producer + "begin isolation level repeatable read, and look"
	case commit:
		return producer + "commit"
	case rollback:
		return producer + "rollback"
	case savepoint:
		return producer + "savepoint s"
	case rollbackTo:
		return producer + "rollback to s"
	case send:
		return producer + fmt.Sprintf("send e%d..e%d", s.id, s.id+s.n-1)
	case tick:
		return "tick"
	case rotate:
		return "rotate"
	case maintain:
		return "move due retries"
	case subscribe:
		return consumer + "subscribe"
	case unsubscribe:
		return consumer + "unsubscribe"
	case seek:
		return consumer + fmt.Sprintf("go back to tick %d", s.n)
	case open:
		return consumer + "open the next batch"
	case putBack:
		return consumer + fmt.Sprintf("put events of the open batch back, chosen by %b", s.pick)
	case putAllBack:
		return consumer + "put the whole open batch back"
	case finish:
		return consumer + "finish the open batch"
	case pages:
		return consumer + fmt.Sprintf("receive a batch in pages of %d, put back by %b, ack", s.n, s.pick)
	case wish:
		return consumer + fmt.Sprintf("ask for batches of %d events or more, then fetch the rest", s.n)
	case drain:
		return consumer + "fetch everything"
	}
	panic(fmt.Sprintf("step without a name: %d", s.verb))
}

// shrink takes steps out of a failing program as long as it fails without them,
// first many at once, then one by one.
func (p program) shrink(fails func(program) bool) program {
	for size := len(p) / 2; size > 0; {
		shorter := p.without(size, fails)
		if len(shorter) == len(p) {
			size /= 2
		}
		p = shorter
	}
	return p
}

func (p program) without(size int, fails func(program) bool) program {
	for at := 0; at+size <= len(p); {
		shorter := append(append(program{}, p[:at]...), p[at+size:]...)
		if fails(shorter) {
			p = shorter
		} else {
			at += size
		}
	}
	return p
}
