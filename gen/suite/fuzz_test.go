package suite_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pgque/pgque-go/gen/schema"
)

// The long form: PGQUE_FUZZ_SCHEMAS=20000 go test ./gen/suite -run Schemas_ -v
// tries that many schemas. PGQUE_FUZZ_SEED repeats a run.
const (
	fuzzSchemas   = 150 // in the short form; plausible ones, which are larger, a third
	fuzzBatch     = 400 // schemas in one program
	fuzzInstances = 40  // for each schema
)

// TestRandomSchemas_PredicatesAgreeWithOtherValidator asks the predicates of
// random schemas about random instances, and jsonschema/v5 the same.
func TestRandomSchemas_PredicatesAgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	fuzz(t, random, fuzzSchemas, func(b *batch) program {
		var subjects []subject
		for i := range b.schemas {
			subjects = append(subjects, subject{schema: b.schemas[i], draft: b.drafts[i]})
		}
		return compile(t, "random", subjects)
	})
}

// TestRandomSchemas_EventsAgreeWithOtherValidator does the same with event
// types, and wants back what they accept.
func TestRandomSchemas_EventsAgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	fuzz(t, random, fuzzSchemas, func(b *batch) program {
		b.narrow = true
		return b.events(t, "randomevents", "random")
	})
}

// TestPlausibleSchemas_EventsAgreeWithOtherValidator does the same with schemas as
// people write them. What it accepts it then changes as an application might: what
// is sent after that must be valid for the other validator, too, and must come back
// as the value that was sent.
func TestPlausibleSchemas_EventsAgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	fuzz(t, plausible, fuzzSchemas/3, func(b *batch) program {
		b.narrow, b.shaken = true, true
		return b.events(t, "plausibleevents", "optional/format")
	})
}

// events makes a program of event types; file tells whether formats are asserted.
func (b *batch) events(t *testing.T, name, file string) program {
	t.Helper()
	var groups []group
	for _, text := range b.schemas {
		groups = append(groups, group{Schema: text, file: file})
	}
	return ours.events(t, name, groups)
}

// A generator makes one schema and instances for it.
type generator interface {
	root() []byte
	instances(text []byte) [][]byte
}

func random(r *rand.Rand, d schema.Draft) generator { return &randomSchema{Rand: r, draft: d} }

func plausible(r *rand.Rand, d schema.Draft) generator {
	return &plausibleSchema{randomSchema{Rand: r, draft: d}}
}

func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// fuzz compares programs of random schemas with the oracle.
func fuzz(t *testing.T, kind func(*rand.Rand, schema.Draft) generator, short uint64, compile func(*batch) program) {
	t.Helper()
	seed := fromEnv(t, "PGQUE_FUZZ_SEED", uint64(time.Now().UnixNano()))
	total := int(fromEnv(t, "PGQUE_FUZZ_SCHEMAS", short))
	t.Logf("PGQUE_FUZZ_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum tally
	for done := 0; done < total; done += fuzzBatch {
		b := newBatch(r, kind, min(fuzzBatch, total-done))
		b.compare(t, compile(b), &sum)
	}
	t.Logf("%d instances, %d accepted, %d sent", sum.asked, sum.accepted, sum.sent)
	if share := float64(sum.accepted) / float64(sum.asked); share < 0.1 || share > 0.9 {
		t.Errorf("%.2f of the instances are accepted: too one-sided to prove anything", share)
	}
}

type tally struct{ asked, accepted, sent int }

// A batch is the schemas of one program.
type batch struct {
	generators []generator
	drafts     []schema.Draft
	schemas    [][]byte
	oracles    []oracle
	narrow     bool // events hold numbers of 64 bits: longer ones are not asked about
	shaken     bool // what was accepted is changed and sent
}

// newBatch makes random schemas that the other validator takes.
func newBatch(r *rand.Rand, kind func(*rand.Rand, schema.Draft) generator, n int) *batch {
	b := &batch{}
	for len(b.schemas) < n {
		d := pick(r, []schema.Draft{schema.Draft7, schema.Draft2019, schema.Draft2020})
		g := kind(r, d)
		text := g.root()
		if o, err := newFormatOracle(text, d); err == nil {
			b.generators, b.drafts = append(b.generators, g), append(b.drafts, d)
			b.schemas, b.oracles = append(b.schemas, text), append(b.oracles, o)
		}
	}
	return b
}

func (b *batch) compare(t *testing.T, p program, sum *tally) {
	t.Helper()
	var questions []question
	var verdicts []bool
	for i, g := range b.generators {
		if err := p.refused[i]; err != nil {
			t.Logf("refused: %v: %s", err, b.schemas[i])
			continue
		}
		for _, instance := range g.instances(b.schemas[i]) {
			if valid := b.oracle(t, i, instance); !b.narrow || !bytes.Contains(instance, []byte("12345678901234567890")) {
				questions, verdicts = append(questions, question{Subject: i, Instance: string(instance), Shake: b.shaken}), append(verdicts, valid)
			}
		}
	}
	for i, a := range p.ask(t, questions) {
		q := questions[i]
		sum.asked++
		if a.Valid {
			sum.accepted++
		}
		if a.Valid != verdicts[i] || a.Reported != a.Valid {
			t.Errorf("says %v, %v %q; the other validator %v\n\tschema %s\n\tinstance %s",
				a.Valid, a.Reported, a.Violations, verdicts[i], b.schemas[q.Subject], q.Instance)
		}
		for _, sent := range a.Sent {
			sum.sent++
			if !b.oracle(t, q.Subject, []byte(sent)) {
				t.Errorf("sends what the other validator refuses\n\tschema %s\n\tchanged %s\n\tsent %s", b.schemas[q.Subject], q.Instance, sent)
			}
		}
		if a.Lost != "" {
			t.Errorf("%s\n\tschema %s\n\tchanged %s", a.Lost, b.schemas[q.Subject], q.Instance)
		}
	}
}

// oracle is the other validator's verdict about an instance of the i-th schema.
func (b *batch) oracle(t *testing.T, i int, instance []byte) bool {
	t.Helper()
	valid, err := b.oracles[i].valid(instance)
	if err != nil {
		t.Fatalf("oracle: %v: %s", err, instance)
	}
	return valid
}

// instances returns random values, each followed by mutations of it.
func (g *randomSchema) instances([]byte) [][]byte {
	return g.mutations(func() any { return g.value(3) })
}

// mutations returns the texts of fresh values, each followed by mutations of it.
func (g *randomSchema) mutations(fresh func() any) [][]byte {
	var out [][]byte
	var v any
	for i := range fuzzInstances {
		if i%4 == 0 {
			v = fresh()
		} else {
			v = g.mutate(v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		out = append(out, text)
	}
	return out
}
