package schema

// Limits bound what one Load reads and keeps, so that a hostile schema costs
// bounded time and memory. A field that is zero has its default.
type Limits struct {
	Files      int // schema files in all sources together; defaults to 20,000
	FileBytes  int // bytes of one file; defaults to 16 MiB
	Depth      int // nested arrays and objects of one file; defaults to 128
	EnumValues int // values of one enum; defaults to 100,000
	Nodes      int // JSON values of one file, aliases counted as often as used; defaults to 1,000,000
}

func (l Limits) withDefaults() Limits {
	l.Files = orDefault(l.Files, 20_000)
	l.FileBytes = orDefault(l.FileBytes, 16<<20)
	l.Depth = orDefault(l.Depth, 128)
	l.EnumValues = orDefault(l.EnumValues, 100_000)
	l.Nodes = orDefault(l.Nodes, 1_000_000)
	return l
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
