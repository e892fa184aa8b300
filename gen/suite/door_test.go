package suite_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pgque/pgque-go/gen"
	"github.com/pgque/pgque-go/gen/schema"
)

// TestSuite_Events runs every case through the door that users take:
// json.Unmarshal into a generated event type accepts an instance or not, and
// what it accepts it gives back.
func TestSuite_Events(t *testing.T) {
	for _, d := range append([]draft{ours}, drafts...) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			groups := d.groups(t)
			p := d.events(t, "events"+d.name, groups)
			answers := p.ask(t, questions(groups, p))
			judge(t, d, groups, p.refused, answers)
		})
	}
}

// events makes one program of generated packages. Schemas that name themselves
// alike go into different packages.
func (d draft) events(t *testing.T, into string, groups []group) program {
	t.Helper()
	p := program{refused: map[int]error{}}
	types := make([]string, len(groups))
	files, names := d.generateAll(t, groups, p.refused)
	var imports []string
	for i, typ := range names {
		types[i] = typ
		imports = append(imports, strings.Split(typ, ".")[0])
	}
	slices.Sort(imports)
	files["shake.go"] = []byte(shakeSource)
	files["main.go"] = doorSource(into, slices.Compact(imports), types)
	p.path = build(t, into, files)
	return p
}

// generateAll writes all packages and returns the Go types of the groups.
func (d draft) generateAll(t *testing.T, groups []group, refused map[int]error) (files map[string][]byte, types map[int]string) {
	t.Helper()
	files, types = map[string][]byte{}, map[int]string{}
	for n, members := range d.packages(groups) {
		maps.Copy(types, d.generate(t, fmt.Sprintf("p%d", n), groups, members, files, refused))
	}
	return files, types
}

// generate writes one package and returns the Go types of its groups.
func (d draft) generate(t *testing.T, name string, groups []group, members []int, files map[string][]byte, refused map[int]error) map[int]string {
	t.Helper()
	folder := fstest.MapFS{}
	for _, i := range members {
		folder[fmt.Sprintf("q/g%d.json", i)] = &fstest.MapFile{Data: d.declare(groups[i].Schema)}
	}
	sources := []schema.Source{{FS: folder, Name: "."}}
	opts := gen.Options{
		Package:          name,
		FormatAnnotation: !groups[members[0]].assertsFormat(),
		RefRoots:         []schema.RefRoot{{Prefix: remotePrefix, FS: remotes(t), Name: "remotes"}},
		Fuzz:             d.fuzz,
	}
	m, diags := gen.Model(sources, opts)
	if err := firstError(diags); err != nil {
		if len(members) == 1 {
			refused[members[0]] = err
			return nil
		}
		return d.generateEach(t, name, groups, members, files, refused)
	}
	out, diags := gen.Generate(sources, opts)
	if err := firstError(diags); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, f := range out {
		files[name+"/"+f.Name] = f.Bytes
	}
	types := map[int]string{}
	for _, e := range m.Events {
		var i int
		if _, err := fmt.Sscanf(e.File, "q/g%d.json", &i); err != nil {
			t.Fatal(err)
		}
		types[i] = name + "." + e.Go
	}
	return types
}

// generateEach drops the members that are refused and generates the others.
func (d draft) generateEach(t *testing.T, name string, groups []group, members []int, files map[string][]byte, refused map[int]error) map[int]string {
	t.Helper()
	var good []int
	for _, i := range members {
		d.generate(t, name, groups, []int{i}, map[string][]byte{}, refused)
		if refused[i] == nil {
			good = append(good, i)
		}
	}
	if len(good) == len(members) {
		t.Fatalf("%s: refused together, but none alone", name)
	}
	if len(good) == 0 {
		return nil
	}
	return d.generate(t, name, groups, good, files, refused)
}

// declare adds $schema to a schema object that has none: events have no default
// but the newest draft.
func (d draft) declare(text []byte) []byte {
	uri := oldDrafts[d.draft]
	text = bytes.TrimSpace(text)
	if uri == "" || text[0] != '{' || bytes.Contains(text, []byte(`"$schema"`)) {
		return text
	}
	separator := ","
	if bytes.HasPrefix(bytes.TrimSpace(text[1:]), []byte("}")) {
		separator = ""
	}
	return []byte(`{"$schema":"` + uri + `"` + separator + string(text[1:]))
}

// oldDrafts are the drafts whose cases do not declare themselves.
var oldDrafts = map[schema.Draft]string{
	schema.Draft4: "http://json-schema.org/draft-04/schema#",
	schema.Draft6: "http://json-schema.org/draft-06/schema#",
	schema.Draft7: "http://json-schema.org/draft-07/schema#",
}

// packages distributes the groups: each package asserts formats or does not,
// and no schema of it speaks of a name that another one declares.
func (d draft) packages(groups []group) [][]int {
	var packages [][]int
	var declared [][]string
	for i, g := range groups {
		ids := identifiers(g.Schema)
		n := slices.IndexFunc(packages, func(members []int) bool {
			for _, j := range members {
				if groups[j].assertsFormat() != g.assertsFormat() ||
					mentions(groups[j].Schema, ids) || mentions(g.Schema, declared[j]) {
					return false
				}
			}
			return true
		})
		declared = append(declared, ids)
		if n < 0 {
			packages = append(packages, nil)
			n = len(packages) - 1
		}
		packages[n] = append(packages[n], i)
	}
	return packages
}

var identifier = regexp.MustCompile(`"\$?id"\s*:\s*"([^"]*)"`)

// identifiers returns the last parts of the identifiers in a schema.
func identifiers(text []byte) []string {
	ids := map[string]bool{}
	for _, match := range identifier.FindAllSubmatch(text, -1) {
		id := strings.Trim(string(match[1]), "/#")
		ids[id[strings.LastIndexAny(id, "/:")+1:]] = true
	}
	delete(ids, "")
	return slices.Sorted(maps.Keys(ids))
}

func mentions(text []byte, ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return bytes.Contains(text, []byte(id)) })
}

// doorSource is a program that decodes the questions' instances into events.
func doorSource(name string, imports, types []string) []byte {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"encoding/json\"\n\t\"math/rand/v2\"\n\t\"os\"\n\n\t\"github.com/pgque/pgque-go/pgque/wire\"\n")
	for _, p := range imports {
		fmt.Fprintf(&b, "\t%q\n", "github.com/pgque/pgque-go/gen/suite/generated/"+name+"/"+p)
	}
	b.WriteString(")\n\nvar subjects = []func() any{\n")
	for _, typ := range types {
		if typ == "" {
			b.WriteString("\tnil,\n")
			continue
		}
		fmt.Fprintf(&b, "\tfunc() any { return new(%s) },\n", typ)
	}
	b.WriteString("}\n" + doorMain)
	return []byte(b.String())
}

const doorMain = `
type answer struct {
	Syntax          string
	Valid, Reported bool
	Violations      []string
	Sent            []string
	Lost            string
}

func ask(event func() any, instance string) (a answer) {
	v := event()
	if err := json.Unmarshal([]byte(instance), v); err != nil {
		return answer{Violations: []string{err.Error()}}
	}
	a.Valid = true
	again, err := json.Marshal(v)
	if err != nil {
		a.Violations = []string{"what was accepted cannot be encoded: " + err.Error()}
		return a
	}
	in, err := wire.Parse([]byte(instance))
	if err != nil {
		panic(err)
	}
	out, err := wire.Parse(again)
	if err != nil {
		panic(err)
	}
	a.Reported = wire.Equal(in, out)
	if !a.Reported {
		a.Violations = []string{"comes back as " + string(again)}
	}
	return a
}

func main() {
	var questions []struct {
		Subject  int
		Instance string
		Shake    bool
	}
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := make([]answer, len(questions))
	for i, q := range questions {
		answers[i] = ask(subjects[q.Subject], q.Instance)
		if q.Shake && answers[i].Valid {
			answers[i].Sent, answers[i].Lost = send(rand.New(rand.NewPCG(uint64(i), 0)), subjects[q.Subject], q.Instance)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
`
