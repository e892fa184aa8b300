package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/pgque/pgque-go/gen/model"
)

// pathFuzz is the package that fuzz targets call.
const pathFuzz = pathSample + "/fuzz"

// fuzzFile is the name of the file with the fuzz targets.
const fuzzFile = "fuzz_test.go"

// fuzzTargets returns the file with a fuzz target for every event.
func fuzzTargets(m *model.Model) (File, error) {
	f := newFile(m)
	plan := map[string]bool{}
	for _, ev := range m.Events {
		plan["Fuzz"+ev.Go] = true
		// func FuzzOrderCreated(f *testing.F) {
		// 	fuzz.Codec(f, func() json.Unmarshaler { return new(OrderCreated) }, OrderCreatedExample, OrderCreatedCounterexample)
		// }
		f.Func().Add(id("Fuzz" + ev.Go)).Params(jen.Id("f").Op("*").Qual("testing", "F")).Block(
			jen.Qual(pathFuzz, "Codec").Call(jen.Id("f"),
				jen.Func().Params().Qual(pathJSON, "Unmarshaler").Block(jen.Return(jen.New(id(ev.Go)))),
				id(ev.Go+"Example"),
				id(ev.Go+"Counterexample"),
			),
		).Line()
	}
	return rendered(f, fuzzFile, plan, nil)
}
