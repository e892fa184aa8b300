package model

import "github.com/pgque/pgque-go/gen/schema"

// isUnion reports a value that is one of several alternatives and nothing else.
func (b *builder) isUnion(f *facts) bool { return false }

func (b *builder) decideUnion(k string, s *Shape, schemas []*schema.Schema, f *facts, into *Type) {
}
