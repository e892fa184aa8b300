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

// The long form: PGQUE_FUZZ_SCHEMAS=20000 go test ./gen/suite -run Random -v
// tries that many schemas. PGQUE_FUZZ_SEED repeats a run.
const (
	fuzzSchemas   = 150 // in the short form
	fuzzBatch     = 400 // schemas in one program
	fuzzInstances = 40  // for each schema
)

// TestRandomSchemas_PredicatesAgreeWithOtherValidator asks the predicates of
// random schemas about random instances, and jsonschema/v5 the same.
func TestRandomSchemas_PredicatesAgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	fuzz(t, func(b *batch) program {
		var subjects []subject
		for i, g := range b.generators {
			subjects = append(subjects, subject{schema: b.schemas[i], draft: g.draft})
		}
		return compile(t, "random", subjects)
	})
}

// TestRandomSchemas_EventsAgreeWithOtherValidator does the same with event
// types, and wants back what they accept.
func TestRandomSchemas_EventsAgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	fuzz(t, func(b *batch) program {
		var groups []group
		for _, text := range b.schemas {
			groups = append(groups, group{Schema: text, file: "random"})
		}
		b.narrow = true
		return ours.events(t, "randomevents", groups)
	})
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
func fuzz(t *testing.T, compile func(*batch) program) {
	t.Helper()
	seed := fromEnv(t, "PGQUE_FUZZ_SEED", uint64(time.Now().UnixNano()))
	total := int(fromEnv(t, "PGQUE_FUZZ_SCHEMAS", fuzzSchemas))
	t.Logf("PGQUE_FUZZ_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum tally
	for done := 0; done < total; done += fuzzBatch {
		b := newBatch(r, min(fuzzBatch, total-done))
		b.compare(t, compile(b), &sum)
	}
	t.Logf("%d instances, %d accepted", sum.asked, sum.accepted)
	if share := float64(sum.accepted) / float64(sum.asked); share < 0.1 || share > 0.9 {
		t.Errorf("%.2f of the instances are accepted: too one-sided to prove anything", share)
	}
}

type tally struct{ asked, accepted int }

// A batch is the schemas of one program.
type batch struct {
	generators []*randomSchema
	schemas    [][]byte
	oracles    []oracle
	narrow     bool // events hold numbers of 64 bits: longer ones are not asked about
}

// newBatch makes random schemas that the other validator takes.
func newBatch(r *rand.Rand, n int) *batch {
	b := &batch{}
	for len(b.schemas) < n {
		g := &randomSchema{Rand: r, draft: pick(r, []schema.Draft{schema.Draft7, schema.Draft2019, schema.Draft2020})}
		text := g.root()
		if o, err := newOracle(text, g.draft, nil); err == nil {
			b.generators, b.schemas, b.oracles = append(b.generators, g), append(b.schemas, text), append(b.oracles, o)
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
		for _, instance := range g.instances() {
			valid, err := b.oracles[i].valid(instance)
			if err != nil {
				t.Fatalf("oracle: %v: %s", err, instance)
			}
			if !b.narrow || !bytes.Contains(instance, []byte("12345678901234567890")) {
				questions, verdicts = append(questions, question{Subject: i, Instance: string(instance)}), append(verdicts, valid)
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
	}
}

// instances returns random values, each followed by mutations of it.
func (g *randomSchema) instances() [][]byte {
	var out [][]byte
	var v any
	for i := range fuzzInstances {
		if i%4 == 0 {
			v = g.value(3)
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
