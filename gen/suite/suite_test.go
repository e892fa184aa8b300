package suite_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/pgque/pgque-go/gen/model"
	"github.com/pgque/pgque-go/gen/schema"
)

// TestSuite_Predicates runs every case of the official suite, required and
// optional, and our own, through generated predicates.
func TestSuite_Predicates(t *testing.T) {
	for _, d := range append([]draft{ours}, drafts...) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			groups := d.groups(t)
			files := remotes(t)
			var subjects []subject
			for _, g := range groups {
				subjects = append(subjects, subject{schema: g.Schema, draft: d.draft, assertFormat: g.assertsFormat(), remotes: files})
			}
			p := compile(t, d.name, subjects)
			judge(t, d, groups, p.refused, p.ask(t, questions(groups, p)))
		})
	}
}

// TestPredicates_AreVetted lets go vet read the predicates of a whole draft.
func TestPredicates_AreVetted(t *testing.T) {
	t.Parallel()
	var all []*model.Check
	for i, g := range drafts[len(drafts)-1].groups(t) {
		if _, checks, err := (subject{schema: g.Schema, draft: schema.Draft2020, assertFormat: true, remotes: remotes(t)}).checks(i); err == nil {
			all = append(all, checks...)
		}
	}
	cmd := exec.Command("go", "vet", "-mod=mod", ".")
	cmd.Dir = module(t, map[string][]byte{"checks.go": render(t, all), "main.go": []byte("package main\n\nfunc main() {}\n")})
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, firstLines(out, 20))
	}
}

// questions asks about every case of the groups that have a predicate.
func questions(groups []group, p program) []question {
	var list []question
	for i, g := range groups {
		if p.refused[i] != nil {
			continue
		}
		for _, c := range g.Tests {
			list = append(list, question{Subject: i, Instance: string(c.Data)})
		}
	}
	return list
}

// judge compares the answers with the suite, prints the table by keyword, and
// fails for every disagreement that is not declared.
func judge(t *testing.T, d draft, groups []group, refused map[int]error, answers []answer) {
	t.Helper()
	var scores table
	for i, g := range groups {
		if err := refused[i]; err != nil {
			for j := range g.Tests {
				scores.add(g, false)
				complain(t, d, g.name(j), "refused: "+err.Error())
			}
			continue
		}
		for j, c := range g.Tests {
			a := answers[0]
			answers = answers[1:]
			scores.add(g, a.Valid == c.Valid)
			if a.Valid != c.Valid {
				complain(t, d, g.name(j), fmt.Sprintf("says %v: %s%v\n\tschema %s\n\tinstance %s", a.Valid, a.Syntax, a.Violations, g.Schema, c.Data))
			}
			if a.Reported != a.Valid || (len(a.Violations) == 0) != a.Reported && a.Syntax == "" {
				complain(t, d, g.name(j), fmt.Sprintf("says %v, but %v with a report of %q", a.Valid, a.Reported, a.Violations))
			}
		}
	}
	t.Logf("%s\n%s", d.name, scores.String())
	if scores.required.all < d.cases {
		t.Errorf("%d required cases, at least %d are known", scores.required.all, d.cases)
	}
}

func complain(t *testing.T, d draft, name, what string) {
	t.Helper()
	for _, known := range declared {
		if (known.draft == "" || known.draft == d.name) && strings.HasPrefix(name, known.prefix) {
			return
		}
	}
	t.Errorf("%s: %s", name, what)
}

// declared are the optional cases that are not agreed with, and why. No
// required case and no case of a format is among them.
var declared = []struct{ draft, prefix, why string }{
	{"draft4", "optional/zeroTerminatedFloats.json", "1.0 is an integer, as it is from draft-06 on"},
	{"draft7", "optional/content.json", "content keywords are annotations, as they are from 2019-09 on"},
	{"", "optional/bignum.json: integer: ", "an event holds integers of 64 bits"},
	{"", "optional/float-overflow.json", "an event holds integers of 64 bits"},
	{"", "optional/bignum.json: number: ", "an event holds numbers of 64 bits"},
}

func TestSuite_DeclaredCasesAreOptional(t *testing.T) {
	for _, known := range declared {
		g := group{file: known.prefix}
		if g.isRequired() || g.isFormat() {
			t.Errorf("%s: %s is declared", known.draft, known.prefix)
		}
	}
}

// A score counts cases.
type score struct{ right, all int }

func (s *score) add(right bool) {
	s.all++
	if right {
		s.right++
	}
}

// A table counts the cases of each keyword.
type table struct {
	rows             map[string]*score
	required, format score
}

func (t *table) add(g group, right bool) {
	if t.rows == nil {
		t.rows = map[string]*score{}
	}
	if t.rows[g.keyword()] == nil {
		t.rows[g.keyword()] = &score{}
	}
	t.rows[g.keyword()].add(right)
	switch {
	case g.isRequired():
		t.required.add(right)
	case g.isFormat():
		t.format.add(right)
	}
}

func (t *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	var names []string
	for name := range t.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		row := t.rows[name]
		fmt.Fprintf(w, "%s\t%d/%d\t%s\n", name, row.right, row.all, strings.Repeat("!", min(row.all-row.right, 20)))
	}
	fmt.Fprintf(w, "all required\t%d/%d\t\n", t.required.right, t.required.all)
	fmt.Fprintf(w, "all formats\t%d/%d\t\n", t.format.right, t.format.all)
	w.Flush()
	return b.String()
}
