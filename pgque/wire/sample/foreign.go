package sample

import "github.com/pgque/pgque-go/pgque/wire"

// Hold sets what v points to, a value of a type that was not generated, from JSON. A
// text that the type does not take leaves it as it is.
func Hold(v any, text []byte) {
	d := wire.NewDecoder(text)
	d.Into(v)
}
