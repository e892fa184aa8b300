package wire_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/pgque/pgque-go/pgque/wire"
)

// formats has every format of the three drafts by its name.
var formats = map[string]func(string) bool{
	"date-time": wire.FormatDateTime, "date": wire.FormatDate, "time": wire.FormatTime,
	"duration": wire.FormatDuration, "email": wire.FormatEmail, "idn-email": wire.FormatIDNEmail,
	"hostname": wire.FormatHostname, "idn-hostname": wire.FormatIDNHostname,
	"ipv4": wire.FormatIPv4, "ipv6": wire.FormatIPv6,
	"uri": wire.FormatURI, "uri-reference": wire.FormatURIReference,
	"iri": wire.FormatIRI, "iri-reference": wire.FormatIRIReference,
	"uuid": wire.FormatUUID, "uri-template": wire.FormatURITemplate,
	"json-pointer": wire.FormatJSONPointer, "relative-json-pointer": wire.FormatRelativeJSONPointer,
	"regex": wire.FormatRegex,
}

// suiteModule contains the official JSON Schema test suite.
const suiteModule = "github.com/kaptinlin/jsonschema@v0.9.10"

// openSuite opens the module's zip in the module cache. The go command complains
// about the module's go version, which does not matter for its test data.
func openSuite(t *testing.T) *zip.ReadCloser {
	out, _ := exec.Command("go", "mod", "download", "-json", suiteModule).Output()
	var module struct{ Zip string }
	if err := json.Unmarshal(out, &module); err != nil || module.Zip == "" {
		t.Fatalf("the test suite is not in the module cache; run: go mod download -json %s", suiteModule)
	}
	if _, err := os.Stat(module.Zip); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(module.Zip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { z.Close() })
	return z
}

type suiteGroup struct {
	Schema struct{ Format string }
	Tests  []struct {
		Description string
		Data        any
		Valid       bool
	}
}

func TestFormats_AgreeWithTheOfficialSuite(t *testing.T) {
	cases := 0
	for _, f := range openSuite(t).File {
		dir := path.Dir(f.Name)
		draft := path.Base(path.Dir(path.Dir(dir)))
		if !strings.HasSuffix(dir, "/optional/format") || !strings.Contains("draft7 draft2019-09 draft2020-12", draft) {
			continue
		}
		for _, group := range readSuite(t, f) {
			format, known := formats[group.Schema.Format]
			if !known {
				continue
			}
			for _, c := range group.Tests {
				text, isText := c.Data.(string)
				if !isText {
					continue
				}
				cases++
				if format(text) != c.Valid {
					t.Errorf("%s %s %+q: want %v: %s", draft, group.Schema.Format, text, c.Valid, c.Description)
				}
			}
		}
	}
	if cases < 1000 {
		t.Errorf("only %d cases were found", cases)
	}
}

func readSuite(t *testing.T, f *zip.File) []suiteGroup {
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var groups []suiteGroup
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return groups
}
