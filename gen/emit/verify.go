package emit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/pgque/pgque-go/gen/model"
)

// allowedImports are all packages that generated code may use.
var allowedImports = []string{
	pathContext, pathJSON, "time", pathLog, pathRand, "testing", pathBus, pathWire, pathSample, pathFuzz, pathPgx,
}

// verify reads a rendered file again and compares it with what was meant: the
// package-level names, the imports, and no directive to the compiler. Whatever
// a schema tried to smuggle into the code is an error here.
func verify(name string, src []byte, planned map[string]bool, foreign []model.Import) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("emit: %w\n%s", err, numbered(src))
	}
	for _, imp := range file.Imports {
		if !isPlanned(imp, foreign) {
			return fmt.Errorf("emit: %s: unexpected import %s", name, imp.Path.Value)
		}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "// ") && c.Text != "//" {
				return fmt.Errorf("emit: %s: unexpected comment %q", name, c.Text)
			}
		}
	}
	for _, declared := range declarations(file) {
		if !planned[declared] {
			return fmt.Errorf("emit: %s: unexpected declaration %s", name, declared)
		}
	}
	return nil
}

// isPlanned reports an import of a package of ours, by its own name, or of one that
// the user asked for.
func isPlanned(imp *ast.ImportSpec, foreign []model.Import) bool {
	path, err := strconv.Unquote(imp.Path.Value)
	switch {
	case err != nil:
		return false
	case slices.Contains(allowedImports, path):
		return imp.Name == nil
	}
	return slices.ContainsFunc(foreign, func(f model.Import) bool {
		return f.Path == path && (f.IsStandard() || imp.Name != nil && imp.Name.Name == f.Name)
	})
}

// declarations are the names that a file declares; of methods the receiver's
// type and the name.
func declarations(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, functionName(d))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	return names
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if ident, ok := t.(*ast.Ident); ok {
		return ident.Name + "." + d.Name.Name
	}
	return "?." + d.Name.Name
}

// planned are the names that the unit may declare.
func (u *unit) planned() map[string]bool {
	plan := map[string]bool{"_": true}
	add := func(names ...string) {
		for _, name := range names {
			plan[name] = true
		}
	}
	for _, t := range u.types {
		add(t.Go)
		if t.Kind == model.Enum {
			add("words" + t.Go)
		}
		for _, method := range []string{"UnmarshalJSON", "MarshalJSON", "AppendJSON", "Validate", "read", "decode", "encode", "Valid", "EventType", "LogValue"} {
			add(t.Go + "." + method)
		}
		for _, v := range t.Values {
			add(v.Go)
		}
		if t.Union != nil {
			add(t.Union.Switch, "decode"+t.Go, "encode"+t.Go)
			for _, o := range t.Union.Options {
				add(o.Maker, t.Go+".As"+o.Go, o.Shape.Name+".is"+t.Go)
			}
		}
	}
	add(u.prepared...)
	if u.examples {
		for _, t := range u.model.Types {
			add("example" + t.Go)
		}
		for _, ev := range u.model.Events {
			add(ev.Go+"Example", ev.Go+"Counterexample")
		}
	}
	if q := u.queue; q != nil {
		add(q.Const, q.Go+"Event", q.Go+"Producer", "New"+q.Go+"Producer", q.Go+"Consumer", "New"+q.Go+"Consumer", q.Go+"Handlers")
		add(q.Go+"Producer.SendBatch", q.Go+"Consumer.Start", q.Go+"Consumer.Consumer", q.Go+"Consumer.OnUnknown", q.Go+"Consumer.Handle")
		for _, ev := range q.Events {
			add(ev.Const, "Schema"+ev.Go, ev.Go+".of"+q.Go)
			add(q.Go+"Producer."+ev.Methods.Send, q.Go+"Producer."+ev.Methods.SendBatch)
			add(q.Go+"Consumer."+ev.Methods.On, q.Go+"Consumer."+ev.Methods.OnTx, q.Go+"Consumer."+ev.Methods.OnBatch)
			add(ev.Go + "DeadLetters")
		}
	}
	return plan
}

// sources is one hash over the schemas that the file is made from.
func (u *unit) sources() string {
	sum := sha256.New()
	for _, s := range u.model.Sources {
		if s.Home == u.home() {
			fmt.Fprintf(sum, "%s %s\n", s.Hash, s.File)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (u *unit) home() string {
	if u.queue == nil {
		return ""
	}
	return u.queue.Name
}
