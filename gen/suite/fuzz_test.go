package suite_test

import (
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
	fuzzSchemas   = 400 // in the short form
	fuzzBatch     = 400 // schemas in one program
	fuzzInstances = 40  // for each schema
)

// TestRandomSchemas_AgreeWithOtherValidator asks random schemas about random
// instances, and jsonschema/v5 the same.
func TestRandomSchemas_AgreeWithOtherValidator(t *testing.T) {
	t.Parallel()
	seed := fromEnv(t, "PGQUE_FUZZ_SEED", uint64(time.Now().UnixNano()))
	total := int(fromEnv(t, "PGQUE_FUZZ_SCHEMAS", fuzzSchemas))
	t.Logf("PGQUE_FUZZ_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum tally
	for done := 0; done < total; done += fuzzBatch {
		fuzz(t, r, min(fuzzBatch, total-done), &sum)
	}
	t.Logf("%d instances, %d accepted, %d schemas refused", sum.asked, sum.accepted, sum.refused)
	if share := float64(sum.accepted) / float64(sum.asked); share < 0.1 || share > 0.9 {
		t.Errorf("%.2f of the instances are accepted: too one-sided to prove anything", share)
	}
}

type tally struct{ asked, accepted, refused int }

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

// fuzz makes one program of random schemas and compares it with the oracle.
func fuzz(t *testing.T, r *rand.Rand, schemas int, sum *tally) {
	t.Helper()
	var subjects []subject
	var generators []*randomSchema
	for range schemas {
		g := &randomSchema{Rand: r, draft: pick(r, []schema.Draft{schema.Draft7, schema.Draft2019, schema.Draft2020})}
		generators = append(generators, g)
		subjects = append(subjects, subject{schema: g.root(), draft: g.draft})
	}
	p := compile(t, "random", subjects)
	var questions []question
	var verdicts []bool
	for i, g := range generators {
		o, err := newOracle(subjects[i].schema, g.draft, nil)
		if refused := p.refused[i]; err != nil || refused != nil {
			if refused != nil && err == nil {
				t.Logf("refused: %v: %s", refused, subjects[i].schema)
			}
			sum.refused++
			continue
		}
		for _, instance := range g.instances() {
			valid, err := o.valid(instance)
			if err != nil {
				t.Fatalf("oracle: %v: %s", err, instance)
			}
			questions = append(questions, question{i, string(instance)})
			verdicts = append(verdicts, valid)
		}
	}
	for i, a := range p.ask(t, questions) {
		q := questions[i]
		sum.asked++
		if a.Valid {
			sum.accepted++
		}
		if a.Valid != verdicts[i] || a.Reported != a.Valid {
			t.Errorf("says %v, %v while reporting %q; the other validator %v\n\tdraft %v\n\tschema %s\n\tinstance %s",
				a.Valid, a.Reported, a.Violations, verdicts[i], generators[q.Subject].draft, subjects[q.Subject].schema, q.Instance)
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
