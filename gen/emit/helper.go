package emit

import (
	_ "embed"
	"go/format"
	"path"
	"regexp"
	"strings"

	"github.com/pgque/pgque-go/gen/model"
)

// helperSource holds small functions that codecs call, each with its comment.
//
//go:embed helper.src
var helperSource string

// helperFile is the name of the file with the functions.
const helperFile = "codec.go"

var helperName = regexp.MustCompile(`(?m)^(?:func|type) ([a-zA-Z]+)`)

// helpers returns the file with those functions that the other files call, or
// nothing.
func helpers(m *model.Model, files []File) (list []File, err error) {
	parts := strings.Split(strings.TrimSpace(helperSource), "\n\n// ")
	kept := make([]bool, len(parts))
	for again := true; again; {
		again = false
		for i, part := range parts {
			name := helperName.FindStringSubmatch(part)[1]
			if !kept[i] && called(name, files, parts, kept) {
				kept[i], again = true, true
			}
		}
	}
	var b strings.Builder
	for i, part := range parts {
		if kept[i] {
			b.WriteString("\n// " + strings.TrimPrefix(part, "// ") + "\n")
		}
	}
	if b.Len() == 0 {
		return nil, nil
	}
	return helperFileOf(m, b.String())
}

func helperFileOf(m *model.Model, body string) ([]File, error) {
	imports := ""
	for _, name := range []string{"bytes", pathJSON, pathWire, "math", pathRand, "strconv", "strings", "time"} {
		if regexp.MustCompile(`\b` + importName(name) + `\.`).MatchString(body) {
			imports += "\t\"" + name + "\"\n"
		}
	}
	if imports != "" {
		imports = "import (\n" + imports + ")\n"
	}
	src := Header + " " + Version + ". DO NOT EDIT.\n\npackage " + m.Package + "\n\n" + imports + body
	out, err := format.Source([]byte(src))
	if err != nil {
		return nil, err
	}
	return []File{{helperFile, out}}, nil
}

func called(name string, files []File, parts []string, kept []bool) bool {
	call := regexp.MustCompile(`[^\w.]` + name + `\b[^.]`)
	for _, f := range files {
		if call.Match(f.Bytes) {
			return true
		}
	}
	for i, part := range parts {
		if kept[i] && helperName.FindStringSubmatch(part)[1] != name && call.MatchString(part) {
			return true
		}
	}
	return false
}

// importName is what code calls a package.
func importName(importPath string) string {
	name := path.Base(importPath)
	if name == "v2" {
		name = path.Base(path.Dir(importPath))
	}
	return name
}
