package emit

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"

	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// fuzzSource holds the functions that fuzz targets call.
//
//go:embed fuzz.src
var fuzzSource string

// fuzzFile is the name of the file with the fuzz targets.
const fuzzFile = "fuzz_test.go"

// fuzzTargets returns the file with a fuzz target for every event.
func fuzzTargets(m *model.Model) (File, error) {
	f := jen.NewFile(m.Package)
	f.HeaderComment(Header + " " + Version + ". DO NOT EDIT.")
	f.ImportName(pathRand, "rand")
	plan := map[string]bool{"codec": true, "fuzzCodec": true, "encoded": true, "_": true}
	f.Add(usedImports()...)
	for _, ev := range m.Events {
		plan["Fuzz"+ev.Go] = true
		// func FuzzOrderCreated(f *testing.F) {
		// 	fuzzCodec(f, func() *OrderCreated { return new(OrderCreated) }, encoded(OrderCreatedExample), OrderCreatedCounterexample)
		// }
		f.Func().Add(id("Fuzz" + ev.Go)).Params(jen.Id("f").Op("*").Qual("testing", "F")).Block(
			jen.Id("fuzzCodec").Call(jen.Id("f"),
				jen.Func().Params().Op("*").Add(id(ev.Go)).Block(jen.Return(jen.New(id(ev.Go)))),
				jen.Id("encoded").Call(id(ev.Go+"Example")),
				id(ev.Go+"Counterexample"),
			),
		).Line()
	}
	var buf bytes.Buffer
	if err := f.Render(&buf); err != nil {
		return File{}, fmt.Errorf("emit: %s: %w", fuzzFile, err)
	}
	buf.WriteString(fuzzSource)
	out, err := format.Source(buf.Bytes())
	if err != nil {
		return File{}, fmt.Errorf("emit: %s: %w", fuzzFile, err)
	}
	return File{fuzzFile, out}, verify(fuzzFile, out, plan)
}

// usedImports names something of every package that fuzzSource needs, so that
// jennifer imports it.
func usedImports() []jen.Code {
	// var (
	// 	_ = bytes.Equal
	// 	_ = rand.New
	// )
	return []jen.Code{jen.Var().Defs(
		jen.Id("_").Op("=").Qual("bytes", "Equal"),
		jen.Id("_").Op("=").Qual(pathRand, "New"),
	).Line()}
}
