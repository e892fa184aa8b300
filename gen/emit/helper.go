package emit

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
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
	used := map[string]bool{}
	for _, f := range files {
		if err := identifiers(used, f.Bytes); err != nil {
			return nil, err
		}
	}
	kept := make([]bool, len(parts))
	for again := true; again; {
		again = false
		for i, part := range parts {
			if kept[i] || !used[helperName.FindStringSubmatch(part)[1]] {
				continue
			}
			kept[i], again = true, true
			if err := identifiers(used, []byte("package p\n\n// "+part)); err != nil {
				return nil, err
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

// identifiers adds to used the names that a file uses. Names behind a dot belong
// to something else.
func identifiers(used map[string]bool, src []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			used[n.Name] = true
		case *ast.SelectorExpr:
			ast.Inspect(n.X, func(x ast.Node) bool {
				if id, ok := x.(*ast.Ident); ok {
					used[id.Name] = true
				}
				return true
			})
			return false
		}
		return true
	})
	return nil
}

func helperFileOf(m *model.Model, body string) ([]File, error) {
	imports := ""
	for _, name := range []string{"bytes", pathJSON, pathWire, "math", pathRand, "strconv", "strings", "time"} {
		if regexp.MustCompile(`\b` + importName(name) + `\.[A-Z]`).MatchString(body) {
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

// importName is what code calls a package.
func importName(importPath string) string {
	name := path.Base(importPath)
	if name == "v2" {
		name = path.Base(path.Dir(importPath))
	}
	return name
}
