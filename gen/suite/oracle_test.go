package suite_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/pgque/pgque-go/gen/schema"
)

// oracleDrafts are the other validator's names of the drafts.
var oracleDrafts = map[schema.Draft]*jsonschema.Draft{
	schema.Draft4:    jsonschema.Draft4,
	schema.Draft6:    jsonschema.Draft6,
	schema.Draft7:    jsonschema.Draft7,
	schema.Draft2019: jsonschema.Draft2019,
	schema.Draft2020: jsonschema.Draft2020,
}

// An oracle is another validator's idea of a schema.
type oracle struct{ schema *jsonschema.Schema }

// newOracle compiles a schema. It is an error where the other validator gives
// up or panics.
func newOracle(text []byte, d schema.Draft, files fs.FS) (oracle, error) {
	return compileOracle(jsonschema.NewCompiler(), text, d, files)
}

// newFormatOracle is newOracle with format as a rule in all drafts.
func newFormatOracle(text []byte, d schema.Draft) (oracle, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	return compileOracle(c, text, d, nil)
}

func compileOracle(c *jsonschema.Compiler, text []byte, d schema.Draft, files fs.FS) (o oracle, err error) {
	defer recovered(&err)
	if extreme.Match(text) {
		return o, errors.New("numbers that the other validator cannot take")
	}
	c.Draft = oracleDrafts[d]
	c.LoadURL = func(url string) (io.ReadCloser, error) {
		name, ok := strings.CutPrefix(url, remotePrefix)
		if !ok || files == nil {
			return nil, fmt.Errorf("%s is not served", url)
		}
		return files.Open(name)
	}
	if err := c.AddResource("http://oracle.invalid/e.json", bytes.NewReader(text)); err != nil {
		return o, err
	}
	o.schema, err = c.Compile("http://oracle.invalid/e.json")
	return o, err
}

// valid is the other validator's verdict.
func (o oracle) valid(instance []byte) (valid bool, err error) {
	defer recovered(&err)
	if extreme.Match(instance) {
		return false, errors.New("numbers that the other validator cannot take")
	}
	d := json.NewDecoder(bytes.NewReader(instance))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return false, err
	}
	return o.schema.Validate(v) == nil, nil
}

// extreme finds exponents of four digits and more, and very long numbers, on
// which the other validator panics or takes for ever.
var extreme = regexp.MustCompile(`[0-9][eE][+-]?[0-9]{4}|[0-9]{1000}`)

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}

// oracleErrs are the required cases on which the other validator is wrong.
var oracleErrs = map[string]string{
	"2020-12/dynamicRef.json: $dynamicRef skips over intermediate resources - direct reference: integer property passes": wrongDynamicRef,
	"2020-12/dynamicRef.json: $dynamicRef skips over intermediate resources - direct reference: string property fails":   wrongDynamicRef,
}

const wrongDynamicRef = "takes the dynamic anchor of a resource that the dynamic scope only passes by"

// TestSuite_OtherValidator compares the suite with jsonschema/v5: apart from
// the cases above both say the same, and so do the generated predicates.
func TestSuite_OtherValidator(t *testing.T) {
	t.Parallel()
	unseen := map[string]bool{}
	for name := range oracleErrs {
		unseen[name] = true
	}
	for _, d := range drafts {
		files := remotes(t)
		for _, g := range d.groups(t) {
			if !g.isRequired() {
				continue
			}
			o, err := newOracle(g.Schema, d.draft, files)
			for i, c := range g.Tests {
				name := d.name + "/" + g.name(i)
				valid := false
				if err == nil {
					valid, err = o.valid(c.Data)
				}
				_, known := oracleErrs[name]
				delete(unseen, name)
				if wrong := err != nil || valid != c.Valid; wrong != known {
					t.Errorf("%s: the other validator says %v (%v), known to be wrong: %v", name, valid, err, known)
				}
			}
		}
	}
	for name := range unseen {
		t.Errorf("%s: no such case", name)
	}
}
